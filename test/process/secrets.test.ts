import { describe, expect } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import type { Hunted, Passwords } from '../support/secret-hunt.js';
import { findIn } from '../support/secret-hunt.js';
import type { Nexus } from '../support/nexus.js';
import { describeSecrets } from '../support/secrets-scenarios.js';

const INSTANCES = ['locker', 'track', 'notes'] as const;

/** Its servers are processes like any other: what is left are their logs. */
async function huntLogs(nexus: Nexus, passwords: Passwords): Promise<Hunted> {
  const found: string[] = [];
  for (const env of INSTANCES) {
    for (const format of [[], ['--json']]) {
      const { code, out } = await nexus.run('logs', env, ...format);
      expect(code).toBe(0);
      found.push(...findIn(`logs of ${env}`, out, passwords));
    }
  }
  return { files: 2 * INSTANCES.length, found };
}

describe('no secret leaves Locker, on the embedded runtime', () => {
  describeSecrets({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS, huntLogs);
});
