/** An environment with data, for the benches of backups: one vault, its operational, Locker, a repository. */
import { join } from 'node:path';
import { fill } from '../../test/support/data-set/fill.js';
import type { Door } from '../../test/support/data-set/wire.js';
import { textOf, Wire } from '../../test/support/data-set/wire.js';
import type { CredentialName } from '../../src/protocol/users.js';
import { Estate } from '../estate.js';
import { timeUntil } from './wait.js';

export const ENV = 'env0';
const SEED = 4_640;

export interface Ground extends AsyncDisposable {
  readonly estate: Estate;
  /** Where backups lie. */
  readonly repository: string;
  readonly port: number;
  password(name: CredentialName): Promise<string>;
  /** As the administrator. */
  door(): Promise<Door>;
}

/** @param bytes about so many in a snapshot */
export async function groundWith(bytes: number): Promise<Ground> {
  const estate = await Estate.plan({
    runtime: 'process',
    standard: 1,
    secure: 1,
    // History of a filling as quick as this one is no history of a vault: it would be copied with each backup.
    yaml: ['backup: { historyBytesMax: 1mb }'],
  });
  const port = estate.doors().find(({ env, role }) => env === ENV && role === 'vault')?.port ?? 0;
  const password: Ground['password'] = async (name) => (await estate.credentials()).get(ENV)?.[name]?.reveal() ?? '';
  const door = async (): Promise<Door> => ({
    socket: { host: '127.0.0.1', port },
    username: 'admin',
    password: await password('admin'),
  });
  const ground: Ground = {
    estate,
    repository: join(estate.root, 'data-backups'),
    port,
    password,
    door,
    [Symbol.asyncDispose]: async () => {
      await estate.nexus3('down', '--quiet');
      await estate[Symbol.asyncDispose]();
    },
  };
  await estate.nexus3('up', '--quiet');
  await fill(await door(), { seed: SEED, bytes });
  await settle(await door());
  return ground;
}

/** One base and nothing after it, as of a vault that has been quiet for a while; and a replica that has caught up. */
export async function settle(door: Door): Promise<void> {
  await using wire = await Wire.open(door);
  const info = async (name: string): Promise<string> => textOf(await wire.ask('INFO', name));
  const isQuiet = async (): Promise<boolean> => {
    const told = await info('persistence');
    return ['aof_rewrite_in_progress', 'aof_rewrite_scheduled', 'rdb_bgsave_in_progress'].every((name) =>
      told.includes(`${name}:0`),
    );
  };
  await timeUntil(isQuiet, 'whatever was written');
  await wire.ask('BGREWRITEAOF');
  await timeUntil(isQuiet, 'a new base');
  await timeUntil(async () => hasCaughtUp(await info('replication')), 'the operational');
}

function hasCaughtUp(replication: string): boolean {
  const [, there = ''] = /^slave0:.*state=online,offset=(\d+)/m.exec(replication) ?? [];
  const [, here = ''] = /^master_repl_offset:(\d+)/m.exec(replication) ?? [];
  return there !== '' && there === here;
}
