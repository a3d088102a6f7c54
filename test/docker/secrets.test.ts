import { describe, expect, it } from 'vitest';
import type { Role } from '../../src/protocol/environment.js';
import { dockerExec } from '../support/docker-api.js';
import { DOCKER_HANDS, dockerNexus, inspect, socketOf } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import type { Nexus } from '../support/nexus.js';
import type { Hunted, Passwords } from '../support/secret-hunt.js';
import { findIn } from '../support/secret-hunt.js';
import { describeSecrets } from '../support/secrets-scenarios.js';

const INSTANCES: readonly (readonly [string, Role])[] = [
  ['locker', 'vault'],
  ['track', 'vault'],
  ['track', 'operational'],
  ['notes', 'vault'],
  ['notes', 'operational'],
];

/** `docker inspect` and `docker logs` of every container, and what its first process shows. */
async function huntContainers(nexus: Nexus, passwords: Passwords): Promise<Hunted> {
  const found: string[] = [];
  for (const [env, role] of INSTANCES) {
    const where = `${env}/${role}`;
    const { name } = await nexus.spec(env, role);
    const inspected = await inspect(nexus, env, role);
    found.push(...findIn(`docker inspect ${where}`, JSON.stringify(inspected), passwords));
    const { output } = await dockerExec(socketOf(nexus), name, ['cat', '/proc/1/cmdline', '/proc/1/environ']);
    expect(output).toContain('redis-server');
    found.push(...findIn(`processes of ${where}`, output, passwords));
    const { out } = await nexus.run('logs', env, '--json');
    found.push(...findIn(`logs of ${where}`, out, passwords));
  }
  return { files: INSTANCES.length, found };
}

describeOnDocker('no secret leaves Locker, on Docker', () => {
  describeSecrets(dockerNexus({ track: 'standard' }), DOCKER_HANDS, huntContainers);

  describe('and this test would see one', () => {
    it('in a container’s environment', () => {
      const inspected = JSON.stringify({ Config: { Env: ['REDIS_ARGS=--requirepass a-planted-password'] } });
      expect(findIn('docker inspect', inspected, new Map([['nobody', 'a-planted-password']]))).toHaveLength(1);
    });
  });
});
