/** A whole process that connects, writes, reads and ends: with nexus3 and its password from Locker, and without. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Comparison, Contestant } from '../comparison.js';
import { alternate, judge } from '../comparison.js';
import { runWhole } from '../whole-process.js';
import type { Ground } from './ground.js';
import { ENV } from './ground.js';

const ROUNDS = { warmUps: 1, pairs: 10 };
const TIMEOUT_MS = 30_000;
const LIBRARY = join(process.cwd(), 'dist', 'compose-client.js');

export async function startUp({ estate, doors }: Ground): Promise<readonly Comparison[]> {
  const token = join(estate.root, 'client.token');
  await estate.nexus3('locker', 'grant', ENV, '--out', token, '--quiet');
  const file = join(estate.root, 'client.question.json');
  await writeFile(file, JSON.stringify(doors), { mode: 0o600 });
  const rival = program('bare-connect.js', [file], {});
  const falkor = program('bare-connect.js', [file, 'falkordb'], {});
  const byToken = program('one-connect.js', [LIBRARY, ENV], { NEXUS3_TOKEN_FILE: token });
  const byRootKey = program('one-connect.js', [LIBRARY, ENV], { ...estate.env, NEXUS3_CONFIG: estate.configFile });
  const bare = 'a whole new process: two node-redis clients, SET, GET';
  return [
    await compared('client-start-token', 'with a token', byToken, bare, rival),
    await compared('client-start-root-key', 'with the root key', byRootKey, bare, rival),
    await compared(
      'client-start-token-falkordb',
      'with a token',
      byToken,
      'the same by the official falkordb client',
      falkor,
    ),
  ];
}

async function compared(
  name: string,
  way: string,
  ours: Contestant,
  rival: string,
  theirs: Contestant,
): Promise<Comparison> {
  const nexus3 = `a whole new process: \`connect\` ${way}, SET, GET`;
  return judge({ name, nexus3, rival, target: { kind: 'none' } }, await alternate(ours, theirs, ROUNDS));
}

function program(name: string, args: readonly string[], env: NodeJS.ProcessEnv): Contestant {
  const path = fileURLToPath(new URL(`../rivals/${name}`, import.meta.url));
  return async () => {
    const all = { PATH: process.env['PATH'], ...env };
    return (await runWhole({ command: process.execPath, args: [path, ...args], env: all, timeoutMs: TIMEOUT_MS })).ms;
  };
}
