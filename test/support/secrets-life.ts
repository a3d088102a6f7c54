/**
 * Everything that environments and Locker go through while their secrets are watched: one step after the other. A step
 * whose command this version does not have is left out, and so are those that need what it makes.
 */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect } from 'vitest';
import { COMMANDS } from '../../src/cli/commands/index.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import { freePortBlock, type Nexus } from './nexus.js';
import type { Transcript } from './secret-hunt.js';

export interface Life {
  readonly nexus: Nexus;
  readonly hands: Hands;
  /** What it prints may not hold a secret. */
  readonly said: Transcript;
  /** Further secrets, beside the environments' passwords: whose, and what. */
  readonly further: Map<string, string>;
}

/** Also a secret: it opens the recovery kit. */
const PASSPHRASE = 'a passphrase for the "kit", 1,000 years';
const VALUES = { 'api-key': 'sk_live_"quoted" \\ %41 ü😀 & more', second: 'the second value: $(id) `id`' } as const;
const KIT = 'kit.age';
const TOKEN = 'track.token';

interface Step {
  readonly needs?: string;
  readonly live: (life: Life) => Promise<void>;
}

const STEPS: readonly Step[] = [
  { live: ({ said }) => good(said.run('up')) },
  { live: writeSome },
  { live: createAndRemove },
  { live: exposeAndRepair },
  { live: refuseAndRepair },
  { live: stopKillAndRecover },
  { needs: 'locker create', live: ({ said }) => good(said.run('locker', 'create', 'stripe', '--notes', 'ask first')) },
  { needs: 'locker set', live: setValues },
  { needs: 'locker reveal', live: reveal },
  { needs: 'locker delete', live: ({ said }) => good(said.run('locker', 'delete', 'stripe', 'second', '--yes')) },
  { needs: 'locker restore', live: ({ said }) => good(said.run('locker', 'restore', 'stripe', 'second')) },
  { needs: 'locker rename', live: ({ said }) => good(said.run('locker', 'rename', 'stripe', 'payments', '--json')) },
  { needs: 'locker list', live: ({ said }) => goods(said, ['locker', 'list'], ['locker', 'list', '--json']) },
  {
    needs: 'locker show',
    live: ({ said }) => goods(said, ['locker', 'show', 'payments'], ['locker', 'show', 'l_e0dd']),
  },
  { needs: 'locker search', live: ({ said }) => good(said.run('locker', 'search', 'track.')) },
  {
    needs: 'rotate',
    live: ({ said }) => goods(said, ['rotate', 'track', '--grace', '0'], ['rotate', '--all', '--grace', '0', '--json']),
  },
  { needs: 'locker grant', live: grant },
  {
    needs: 'credentials exec',
    live: ({ said }) => good(said.run('credentials', 'exec', 'track', '--', 'sh', '-c', 'cat <&3 >/dev/null')),
  },
  { needs: 'locker export', live: exportKit },
  { needs: 'locker import', live: importKit },
  { needs: 'locker rekey', live: rekey },
  { needs: 'locker revoke', live: revoke },
  {
    needs: 'locker audit',
    live: ({ said }) =>
      goods(said, ['locker', 'audit'], ['locker', 'audit', '--json'], ['locker', 'audit', '--verify']),
  },
  { needs: 'locker reset', live: reset },
  { live: beRefused },
  { live: saveEverywhere },
];

/** @param afterStep told after each, so that no secret that was in force for one step only is forgotten */
export async function liveThrough(life: Life, afterStep: () => Promise<void>): Promise<void> {
  for (const { needs, live } of STEPS) {
    if (needs !== undefined && !COMMANDS.some(({ name }) => name === needs)) continue;
    await live(life);
    await afterStep();
  }
}

async function good(work: ReturnType<Transcript['run']>): Promise<void> {
  const { code, out, err } = await work;
  expect(code, out + err).toBe(0);
}

async function goods(said: Transcript, ...commands: readonly (readonly string[])[]): Promise<void> {
  for (const words of commands) await good(said.run(...words));
}

async function writeSome({ nexus }: Life): Promise<void> {
  await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
  await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})");
}

async function createAndRemove({ said }: Life): Promise<void> {
  const port = await freePortBlock(4);
  await said.run('create', 'notes', '--vault-port', String(port), '--json');
  await said.run('create', 'gone', '--vault-port', String(port + 2));
  await said.run('remove', 'gone', '--yes');
}

/** The replication password is shown to anybody, found, and replaced. */
async function exposeAndRepair({ nexus, said }: Life): Promise<void> {
  await nexus.admin('track', 'operational', 'ACL', 'SETUSER', 'default', '+config|get');
  await said.run('check', '--json');
  await said.run('check', '--dry-run');
  await said.run('check', '--fix', '--json');
}

/** A server repeats what it was told. */
async function refuseAndRepair({ nexus, said }: Life): Promise<void> {
  await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'admin', 'resetpass', '>another-password');
  await said.run('check');
  await said.run('check', '--fix', '--json');
  await said.run('down', 'track');
  await said.run('up', 'track');
}

async function stopKillAndRecover({ nexus, said, hands }: Life): Promise<void> {
  await said.run('recover', 'track', '--yes', '--json');
  await hands.kill(nexus, 'track', 'vault');
  await said.run('up', '--json');
}

async function setValues({ said, further }: Life): Promise<void> {
  for (const [key, value] of Object.entries(VALUES)) {
    further.set(`stripe ${key}, an old one`, `${value}, before`);
    further.set(`stripe ${key}`, value);
    await good(said.runWith({ stdin: `${value}, before` }, 'locker', 'set', 'stripe', key));
    await good(said.runWith({ stdin: value }, 'locker', 'set', 'stripe', key, '--json'));
  }
}

/** The one command that prints it. */
async function reveal({ nexus }: Life): Promise<void> {
  expect((await nexus.run('locker', 'reveal', 'stripe', 'api-key')).out.trimEnd()).toBe(VALUES['api-key']);
}

async function grant({ nexus, said, further }: Life): Promise<void> {
  const path = join(nexus.root, TOKEN);
  await good(said.run('locker', 'grant', 'track', '--out', path, '--label', 'mcp'));
  const words = (await readFile(path, 'utf8')).split(/\s+/);
  further.set('the token', words.find((word) => word.length >= 40) ?? '');
  expect((await nexus.run('credentials', 'get', 'track', '--token', path)).code).toBe(0);
  await good(said.run('locker', 'grants', '--json'));
}

async function revoke({ said }: Life): Promise<void> {
  const { out } = await said.run('locker', 'grants', '--json');
  await good(said.run('locker', 'revoke', /t_[0-9a-f]{8}/.exec(out)?.[0] ?? 'none'));
}

async function exportKit({ nexus, said, further }: Life): Promise<void> {
  further.set('the kit', PASSPHRASE);
  await good(said.runWith({ stdin: PASSPHRASE }, 'locker', 'export', '--recovery', join(nexus.root, KIT)));
}

async function importKit({ nexus, said }: Life): Promise<void> {
  await good(said.runWith({ stdin: PASSPHRASE }, 'locker', 'import', join(nexus.root, KIT), '--json'));
}

async function rekey({ said }: Life): Promise<void> {
  await good(said.run('locker', 'rekey'));
}

/** Refused as long as nothing is lost. */
async function reset({ nexus, said }: Life): Promise<void> {
  expect((await said.run('locker', 'reset', '--yes', '--json')).code).toBe(1);
  await rm(join(nexus.root, 'root.key'));
  await good(said.run('locker', 'reset', '--yes', '--json'));
}

/** Errors, for people and for scripts: of Locker, of its root key, of a command. */
async function beRefused({ nexus, said, hands }: Life): Promise<void> {
  await said.run('status');
  await said.run('logs', 'track');
  await said.run('logs', 'track', '--json');
  await said.run('logs', 'locker');
  await said.run('nonsense', '--json');
  await nexus.admin('locker', 'vault', 'ACL', 'SETUSER', 'default', 'resetpass', '>another-password');
  await said.run('credentials', 'get', 'track');
  await said.run('check', 'locker', '--fix');
  const field = 'value:backup';
  const key = 'nexus3:locker:l_e0dd:env:track';
  const kept = String(await nexus.admin('locker', 'vault', 'HGET', key, field));
  await nexus.admin('locker', 'vault', 'HSET', key, field, `${kept}AAAA`);
  await said.run('credentials', 'get', 'track', '--user', 'backup', '--json');
  await said.run('check', '--json');
  await nexus.admin('locker', 'vault', 'HSET', key, field, kept);
  await hands.stop(nexus, 'locker', 'vault');
  await said.run('credentials', 'get', 'track');
  await said.run('check');
  await said.run('up');
}

/** So that everything lies in snapshots and in rewritten append-only files, too. */
async function saveEverywhere({ nexus }: Life): Promise<void> {
  await nexus.admin('track', 'vault', 'BGREWRITEAOF');
  await nexus.admin('track', 'operational', 'SAVE');
  await nexus.admin('locker', 'vault', 'SAVE');
  await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value', 'replication');
  await nexus.report(0, 'check');
}
