/** `nexus3 check` of 200 environments against a bare node-redis program that sends the same requests. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runtimeDirectives } from '../src/protocol/redis-conf.js';
import { DEFAULT_SETTINGS } from '../src/protocol/settings.js';
import { INFO_SECTIONS } from '../src/redis/parse-info.js';
import type { Comparison, Contest, Contestant } from './comparison.js';
import { alternate, judge } from './comparison.js';
import { Estate } from './estate.js';
import type { Question } from './rivals/bare-client.js';
import { runWhole } from './whole-process.js';

const ROUNDS = { warmUps: 1, pairs: 5 };
const RIVAL_TIMEOUT_MS = 120_000;
const NEXUS3 = '`nexus3 check`, 200 environments and Locker in 401 local servers';

const CONTESTS: readonly (Contest & { readonly way: 'create' | 'duplicate' })[] = [
  {
    name: 'check-process-200',
    way: 'create',
    nexus3: NEXUS3,
    rival: 'a bare program, createClient() for each server, the same requests',
    target: { kind: 'times-as-long', max: 1.5 },
  },
  {
    name: 'check-process-200-duplicate',
    way: 'duplicate',
    nexus3: NEXUS3,
    rival: 'the same with one client and duplicate()',
    target: { kind: 'times-as-long', max: 1.5 },
  },
];

export async function checkTwoHundred(): Promise<readonly Comparison[]> {
  await using estate = await Estate.plan({ runtime: 'process', standard: 200, secure: 1, module: 'none' });
  try {
    await estate.nexus3('up', '--quiet');
    const file = join(estate.root, 'questions.json');
    await writeFile(file, JSON.stringify(await questionsFor(estate)), { mode: 0o600 });
    const comparisons: Comparison[] = [];
    for (const { way, ...contest } of CONTESTS) {
      comparisons.push(judge(contest, await alternate(() => estate.check(), bareClient(way, file), ROUNDS)));
    }
    return comparisons;
  } finally {
    await estate.nexus3('down', '--quiet');
  }
}

function bareClient(way: string, file: string): Contestant {
  const program = fileURLToPath(new URL('rivals/bare-client.js', import.meta.url));
  return async () => {
    const { ms } = await runWhole({
      command: process.execPath,
      args: [program, way, file],
      env: { PATH: process.env['PATH'] },
      timeoutMs: RIVAL_TIMEOUT_MS,
    });
    return ms;
  };
}

/** What src/redis/probe.ts sends to each server. */
async function questionsFor(estate: Estate): Promise<readonly Question[]> {
  const credentials = await estate.credentials();
  return estate.doors().map(({ env, role, port }): Question => {
    const admin = credentials.get(env)?.[role === 'vault' ? 'admin' : 'operational-admin']?.reveal() ?? '';
    const directives = runtimeDirectives(role, DEFAULT_SETTINGS).map(({ name }) => name);
    return {
      port,
      before: [['PING'], ['CONFIG', 'GET', 'masterauth']],
      after: [
        ['AUTH', 'admin', admin],
        ['INFO', ...INFO_SECTIONS],
        ['CONFIG', 'GET', ...new Set([...directives, 'masterauth', 'masteruser'])],
        ['ACL', 'LIST'],
      ],
    };
  });
}
