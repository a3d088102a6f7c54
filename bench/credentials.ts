/** `credentials()` cold against a bare authenticated HGET on a new connection; what nexus3 does includes the decryption. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { credentials } from '../src/compose-credentials.js';
import { LOCKER_KEY } from '../src/protocol/users.js';
import type { Comparison, Contest, Contestant, Target } from './comparison.js';
import { alternate, judge } from './comparison.js';
import { Estate } from './estate.js';
import { hget, type HashQuestion } from './rivals/bare-hget.js';
import { runWhole } from './whole-process.js';

const PROCESS_ROUNDS = { warmUps: 2, pairs: 25 };
const CONNECTION_ROUNDS = { warmUps: 20, pairs: 200 };
const TIMEOUT_MS = 30_000;
const LIBRARY = join(process.cwd(), 'dist', 'compose-credentials.js');
const TARGET: Target = { kind: 'times-as-long', max: 1.3 };
const ENV = 'env0';

export async function credentialsCold(): Promise<readonly Comparison[]> {
  await using estate = await Estate.plan({ runtime: 'process', standard: 0, secure: 2, module: 'none' });
  try {
    await estate.nexus3('up', '--quiet');
    const token = join(estate.root, 'env0.token');
    await estate.nexus3('locker', 'grant', ENV, '--out', token, '--quiet');
    const file = join(estate.root, 'bare.question.json');
    const question = await questionFor(estate);
    await writeFile(file, JSON.stringify(question), { mode: 0o600 });
    const ways = [
      { way: 'token', env: { NEXUS3_TOKEN_FILE: token } },
      { way: 'root-key', env: { ...estate.env, NEXUS3_CONFIG: estate.configFile } },
    ];
    const comparisons: Comparison[] = [];
    for (const { way, env } of ways) {
      const nexus3 = program('one-credential.js', [LIBRARY, ENV], env);
      const pairs = await alternate(nexus3, program('bare-hget.js', [file], {}), PROCESS_ROUNDS);
      comparisons.push(judge(contest(`credentials-process-${way}`, 'a whole new process', way), pairs));
    }
    for (const { way, env } of ways) {
      const surroundings = { cwd: estate.root, env: env as Readonly<Record<string, string>> };
      // One helper, as a program has it: its configuration is read once, its key and its password each time.
      await using helper = credentials({ surroundings, attemptsMax: 1 });
      const nexus3 = timed(async () => {
        helper.invalidate(ENV);
        await helper.get(ENV);
      });
      const pairs = await alternate(
        nexus3,
        timed(() => hget(question)),
        CONNECTION_ROUNDS,
      );
      comparisons.push(judge(contest(`credentials-connection-${way}`, 'a new connection', way), pairs));
    }
    return comparisons;
  } finally {
    await estate.nexus3('down', '--quiet');
  }
}

function contest(name: string, what: string, way: string): Contest {
  return {
    name,
    nexus3: `credentials() with the ${way}, ${what}: read, decrypted, noted`,
    rival: `createClient(), AUTH, HGET, ${what}`,
    target: TARGET,
  };
}

function timed(work: () => Promise<unknown>): Contestant {
  return async () => {
    const began = performance.now();
    await work();
    return performance.now() - began;
  };
}

function program(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Contestant {
  const path = fileURLToPath(new URL(`rivals/${name}`, import.meta.url));
  return async () => {
    const all = { PATH: process.env['PATH'], ...env };
    return (await runWhole({ command: process.execPath, args: [path, ...args], env: all, timeoutMs: TIMEOUT_MS })).ms;
  };
}

async function questionFor(estate: Estate): Promise<HashQuestion> {
  const password = (await estate.credentials()).get('locker')?.default?.reveal() ?? '';
  const port = estate.doors().find(({ env }) => env === 'locker')?.port ?? 0;
  const url = `redis://default:${password}@127.0.0.1:${String(port)}`;
  return { url, key: LOCKER_KEY.environment(ENV), field: 'value:default' };
}
