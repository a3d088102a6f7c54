/** Restore never makes it worse: what was there serves, or what was restored does, and `check` says which. On both runtimes. */
import { existsSync } from 'node:fs';
import { appendFile, open, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SILENT } from '../../src/progress.js';
import { Secret } from '../../src/protocol/secret.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { restore } from '../../src/reconcile/restore/restore.js';
import type { InstanceSpec } from '../../src/runtime/runtime.js';
import type { RestoreReport, RestoredEnvironment } from '../../src/reconcile/restore/report.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import type { NexusOptions } from './nexus.js';
import { findingOf, freePortBlock, Nexus } from './nexus.js';
import type { Manifest } from '../../src/backup/backups.js';
import { runCommand } from './command.js';
import { chance, rounds, SEED } from './random.js';
import type { TakeOptions } from './take-backup.js';
import { takeBackup } from './take-backup.js';

const KILLS_IN_CI = { all: 5, one: 2 } as const;
const KILLS_IN_SOAK = 100;
const INTO_KILLS_IN_CI = { all: 2, one: 1 } as const;
const INTO_KILLS_IN_SOAK = 50;
/** About how long it takes where nothing else runs, in milliseconds. */
const INTO_MS_MAX = 4_000;
const MINUTES = 60_000;

/** @param badBackups which of them: what a server makes of one is the same on both runtimes, how it ends is not */
export function describeRestore(options: NexusOptions, hands: Hands, badBackups: 'all' | 'one' = 'all'): void {
  let nexus: Nexus;
  /** Of what is restored beside. */
  let vaultPort: string;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    vaultPort = String(await freePortBlock(2));
    await nexus.report(0, 'up');
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    await nexus.report(0, 'up');
    await write('SET', 'kept', 'then');
    await write('DEL', 'later');
    await write('GRAPH.QUERY', 'projects', "MERGE (:Project {name: 'nexus'})-[:NEEDS]->(:Project {name: 'redis'})");
    await followed('kept', 'then');
  });
  afterEach(async () => {
    await rm(join(nexus.dataRoot, 'track', 'aside'), { recursive: true, force: true });
    await rm(join(`${nexus.dataRoot}-backups`, 'track'), { recursive: true, force: true });
  });

  const write = (...args: readonly string[]): Promise<unknown> => nexus.admin('track', 'vault', ...args);
  const followed = (key: string, value: string): Promise<void> =>
    until(async () => (await nexus.anonymous('track', 'operational', 'GET', key)) === value, `${key} = ${value}`);

  async function changeEverything(): Promise<void> {
    await write('SET', 'kept', 'now');
    await write('SET', 'later', 'now');
    await write('GRAPH.DELETE', 'projects');
    await followed('kept', 'now');
  }

  async function restored(...args: readonly string[]): Promise<RestoredEnvironment> {
    const { code, out, err } = await nexus.run('restore', ...args, '--yes', '--json');
    expect(code, `${err}\n${out}`).toBe(0);
    const [one] = (JSON.parse(out) as RestoreReport).environments;
    if (one === undefined) throw new Error('no environment in the report');
    return one;
  }

  async function servesThen(): Promise<void> {
    expect(await nexus.findings('track')).toEqual([]);
    for (const role of ['vault', 'operational'] as const) {
      expect(await nexus.admin('track', role, 'MGET', 'kept', 'later'), role).toEqual(['then', null]);
      expect(
        JSON.stringify(await nexus.admin('track', role, 'GRAPH.RO_QUERY', 'projects', 'MATCH (n) RETURN count(n)')),
      ).toContain('[[2]]');
    }
  }

  /** As it was before anything was restored. */
  async function servesNow(what: string): Promise<void> {
    expect(await nexus.findings('track'), what).toEqual([]);
    for (const role of ['vault', 'operational'] as const) {
      expect(await nexus.admin('track', role, 'MGET', 'kept', 'later'), `${what}: ${role}`).toEqual(['now', 'now']);
    }
    expect(await aside(), what).toEqual([]);
  }

  /** Less what was kept on purpose. */
  async function aside(): Promise<readonly string[]> {
    const folder = join(nexus.dataRoot, 'track', 'aside');
    return existsSync(folder) ? (await readdir(folder)).filter((name) => !name.startsWith('kept-')) : [];
  }

  async function refusedWith(code: string, ...args: readonly string[]): Promise<string> {
    const result = await nexus.run('restore', 'track', ...args, '--yes', '--json');
    expect(result.code, result.out).not.toBe(0);
    const { error } = JSON.parse(result.out) as { error: { code: string; hint: string; evidence: readonly string[] } };
    expect(error.code, result.out).toBe(code);
    expect(error.hint).not.toBe('');
    return JSON.stringify(error);
  }

  it('brings back what a backup holds, and keeps what was there', async () => {
    const { id } = await takeBackup(nexus, 'track');
    await changeEverything();
    const report = await restored('track');
    expect(report).toMatchObject({ env: 'track', source: { kind: 'backup', id }, outcome: 'restored', resumed: false });
    expect(existsSync(join(report.keptAside ?? '', 'appendonlydir'))).toBe(true);
    await servesThen();
    expect(await aside()).toEqual([]);
    const audit = await nexus.run('locker', 'audit', '--action', 'restore-environment', '--json');
    expect(audit.out).toContain(id);
    // Whoever needs the room has it back.
    expect((await nexus.run('aside', 'list')).out).toContain(report.keptAside);
    expect((await nexus.run('aside', 'discard', 'track', '--yes')).code).toBe(0);
    expect(existsSync(report.keptAside ?? '')).toBe(false);
    await servesThen();
  });

  it('one that was never verified is loaded and counted beside, before anything is touched', async () => {
    const { id } = await takeBackup(nexus, 'track', { verified: false });
    await changeEverything();
    const report = await restored('track', '--id', id);
    expect(report.steps.join('\n')).toContain('loaded beside the vault, and counted');
    await servesThen();
  });

  it('says first what it will do and what is lost, and does nothing without a yes', async () => {
    const { id } = await takeBackup(nexus, 'track');
    await changeEverything();
    const asked = await nexus.run('restore', 'track', '--json');
    expect(asked.out).toContain('CONFIRMATION_NEEDED');
    expect(asked.out).toMatch(/The vault holds \d keys? now; that is replaced by a backup of .*, which holds \d keys?/);
    const dry = await nexus.run('restore', 'track', '--dry-run', '--json');
    const report = JSON.parse(dry.out) as RestoreReport;
    expect(report).toMatchObject({ ok: true, dryRun: true, environments: [{ outcome: 'planned', source: { id } }] });
    expect(report.plan).toMatch(/^p_[0-9a-f]{12}$/);
    await servesNow('asked and dry run');
  });

  describe('a bad backup changes nothing, or is taken back', () => {
    const snapshotOf = ({ env, id, snapshot }: Manifest): string =>
      join(`${nexus.dataRoot}-backups`, env, id, snapshot.file);

    /** Refused before anything is touched: the vault has not even been restarted. */
    it.each(badBackups === 'one' ? REFUSED.slice(0, 1) : REFUSED)('%s: %s', async (what, code, take, damage) => {
      const manifest = await takeBackup(nexus, 'track', take);
      await changeEverything();
      const runId = await nexus.admin('track', 'vault', 'INFO', 'server');
      await damage(snapshotOf(manifest), manifest);
      await refusedWith(code, '--id', manifest.id);
      expect(runIdIn(await nexus.admin('track', 'vault', 'INFO', 'server')), 'the vault was restarted').toBe(
        runIdIn(runId),
      );
      await servesNow(what);
    });

    /** Only a server that loads it can tell: the old data are put back, and serve. */
    it.each(badBackups === 'one' ? TAKEN_BACK.slice(0, 2) : TAKEN_BACK)('%s', async (what, says, take) => {
      await takeBackup(nexus, 'track', take);
      await changeEverything();
      expect(await refusedWith('RESTORE_FAILED')).toMatch(says);
      await servesNow(what);
    });
  });

  describe('somebody starts the vault by hand as soon as nexus3 has stopped it, with what lies there at that instant', () => {
    async function restoredMeanwhileStarted(): Promise<RestoreReport> {
      await using world = await nexus.world();
      await world.runtime.ready();
      const stop = async (spec: InstanceSpec): Promise<void> => {
        await world.runtime.stop(spec);
        if (spec.id.role !== 'vault') return;
        await hands.start(nexus, 'track', 'vault');
        const adminPassword = new Secret(await nexus.password('track', 'admin'));
        const probing = { address: hostAddress(spec), adminPassword, directives: [], masterauth: undefined };
        await until(async () => (await world.servers.probe(probing)).state !== 'unreachable', 'its answer');
      };
      const runtime = new Proxy(world.runtime, {
        get: (real, name) => {
          if (name === 'stop') return stop;
          const value: unknown = Reflect.get(real, name);
          return typeof value === 'function' ? (value as () => unknown).bind(real) : value;
        },
      });
      const options = { env: 'track', id: undefined, at: undefined, into: undefined, abort: false };
      return await restore({ ...world, runtime }, options, SILENT);
    }

    it('the restored data serve', async () => {
      await takeBackup(nexus, 'track');
      await write('SET', 'kept', 'now');
      expect(await restoredMeanwhileStarted()).toMatchObject({ ok: true });
      await servesThen();
      await hands.stop(nexus, 'track', 'vault');
      await nexus.report(0, 'up');
      await servesThen();
    });

    it('and where they are not what they should be, the old ones', async () => {
      await takeBackup(nexus, 'track', { lie: (content) => ({ ...content, databases: [] }) });
      await changeEverything();
      await expect(restoredMeanwhileStarted()).rejects.toMatchObject({ code: 'RESTORE_FAILED' });
      await servesNow('taken back');
      await hands.stop(nexus, 'track', 'vault');
      await nexus.report(0, 'up');
      await servesNow('started again');
    });
  });

  describe('whatever is left of the environment', () => {
    it('the vault is gone altogether: no instance, no data, no configuration', async () => {
      await takeBackup(nexus, 'track');
      await changeEverything();
      const { dataDir, configDir } = await nexus.spec('track', 'vault');
      await hands.takeAway(nexus, 'track', 'vault');
      for (const folder of [dataDir, configDir]) await rm(folder, { recursive: true });
      const report = await restored('track');
      expect(report.keptAside).toBeNull();
      // What the operational held was the last copy of what is in no backup.
      expect(await readdir(report.keptOperational ?? '')).toEqual(['dump.rdb']);
      await servesThen();
    });

    it('both are gone', async () => {
      await takeBackup(nexus, 'track');
      for (const role of ['operational', 'vault'] as const) await hands.takeAway(nexus, 'track', role);
      await rm(join(nexus.dataRoot, 'track'), { recursive: true });
      await restored('track');
      await servesThen();
    });

    it('the guard holds the vault: what its operational has is kept before it is refilled', async () => {
      await takeBackup(nexus, 'track');
      await changeEverything();
      const { dataDir } = await nexus.spec('track', 'vault');
      await hands.stop(nexus, 'track', 'vault');
      await rm(join(dataDir, 'appendonlydir'), { recursive: true });
      const report = await restored('track');
      expect(await readdir(report.keptOperational ?? '')).toEqual(['dump.rdb']);
      await servesThen();
    });

    it('it is stopped, or its operational is', async () => {
      await takeBackup(nexus, 'track');
      await changeEverything();
      await hands.stop(nexus, 'track', 'vault');
      await hands.takeAway(nexus, 'track', 'operational');
      await restored('track');
      await servesThen();
    });

    it('Locker has lost its passwords: it makes new ones', async () => {
      await takeBackup(nexus, 'track');
      await changeEverything();
      await nexus.admin('locker', 'vault', 'DEL', 'nexus3:locker:l_e0dd:env:track');
      await restored('track');
      await servesThen();
    });
  });

  it('--into: a new environment beside, with passwords of its own; the other one is not touched', async () => {
    const { id } = await takeBackup(nexus, 'track');
    await changeEverything();
    const report = await restored('track', '--into', 'track-then', '--vault-port', vaultPort);
    expect(report).toMatchObject({ env: 'track-then', from: 'track', source: { id }, keptAside: null });
    expect((await nexus.run('status', 'track-then')).out).toContain(vaultPort);
    expect(await nexus.findings('track-then')).toEqual([]);
    expect(await nexus.admin('track-then', 'operational', 'MGET', 'kept', 'later')).toEqual(['then', null]);
    expect(await nexus.password('track-then')).not.toBe(await nexus.password('track'));
    await servesNow('the other one');
    expect((await nexus.run('restore', 'track', '--into', 'track-then', '--yes', '--json')).out).toContain(
      'ENVIRONMENT_EXISTS',
    );
    expect((await nexus.run('remove', 'track-then', '--yes', '--delete-data')).code).toBe(0);
  });

  it('--into, from a bad backup: nothing of it stays', async () => {
    await takeBackup(nexus, 'track', { change: () => Buffer.from('this is not a snapshot') });
    expect(await refusedWith('RESTORE_FAILED', '--into', 'track-then', '--vault-port', vaultPort)).toContain(
      'START_FAILED',
    );
    expect((await nexus.run('status', 'track-then', '--json')).out).toContain('ENVIRONMENT_UNKNOWN');
    expect(existsSync(join(nexus.dataRoot, 'track-then'))).toBe(false);
    expect((await nexus.run('check', '--json')).code).toBe(0);
  });

  // On the embedded runtime: restore-all-scenarios.ts.
  it.runIf(badBackups === 'one')('--all, on a new machine: Locker first, and what hangs on it', async () => {
    for (const env of ['locker', 'track']) await takeBackup(nexus, env);
    for (const role of ['operational', 'vault'] as const) await hands.takeAway(nexus, 'track', role);
    await hands.takeAway(nexus, 'locker', 'vault');
    await rm(nexus.dataRoot, { recursive: true });
    const { code, out } = await nexus.run('restore', '--all', '--yes', '--json');
    expect(code, out).toBe(0);
    expect((JSON.parse(out) as RestoreReport).environments).toMatchObject([
      { env: 'locker', outcome: 'restored' },
      { env: 'track', outcome: 'restored' },
    ]);
    await servesThen();
  });

  it(
    'killed anywhere: the operational answers, `check` says what is going on, and running again finishes or takes back',
    async () => {
      const { id } = await takeBackup(nexus, 'track');
      await changeEverything();
      const args = ['restore', 'track', '--id', id, '--yes'];
      const usual = await runCommand(nexus, args);
      expect(usual.code, usual.output).toBe(0);
      const random = chance(SEED);
      for (let kill = 0; kill < rounds(KILLS_IN_CI[badBackups], KILLS_IN_SOAK); kill += 1) {
        await changeEverything();
        const afterMs = Math.floor(random() * usual.ms);
        const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usual.ms.toFixed(0)} ms`;
        const killed = await runCommand(nexus, args, afterMs);
        await isKnown(killed.code === 0, where);
        const isTakenBack = random() < 0.5 && killed.code !== 0 && (await tookBack(where));
        if (isTakenBack) await servesNow(where);
        const again = await runCommand(nexus, args);
        expect(again.code, `${where}\n${again.output}`).toBe(0);
        await servesThen();
        expect(await aside(), where).toEqual([]);
      }
    },
    rounds(KILLS_IN_CI[badBackups], KILLS_IN_SOAK) * MINUTES,
  );

  it(
    '--into, killed anywhere: run again, the new environment is there, and the other one was never touched',
    async () => {
      const { id } = await takeBackup(nexus, 'track');
      await changeEverything();
      const args = ['restore', 'track', '--id', id, '--into', 'track-then', '--vault-port', vaultPort, '--yes'];
      const random = chance(SEED + 1);
      for (let kill = 0; kill < rounds(INTO_KILLS_IN_CI[badBackups], INTO_KILLS_IN_SOAK); kill += 1) {
        const afterMs = Math.floor(random() * INTO_MS_MAX);
        const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} ms`;
        const killed = await runCommand(nexus, args, afterMs);
        await servesNow(where);
        const again = await runCommand(nexus, args);
        if (killed.code !== 0 && again.code !== 0) {
          // It was killed when all was done, and only its name stands in the way.
          expect(again.output, where).toContain('There is an environment track-then already.');
        }
        expect(await nexus.findings('track-then'), where).toEqual([]);
        expect(await nexus.admin('track-then', 'operational', 'MGET', 'kept', 'later'), where).toEqual(['then', null]);
        expect((await nexus.run('remove', 'track-then', '--yes', '--delete-data')).code, where).toBe(0);
      }
    },
    rounds(INTO_KILLS_IN_CI[badBackups], INTO_KILLS_IN_SOAK) * MINUTES,
  );

  /** One of the two serves or will, and `check` says which; meanwhile nothing is repaired that could lose the other. */
  async function isKnown(isDone: boolean, where: string): Promise<void> {
    const findings = await nexus.findings('track');
    const value = await nexus.anonymous('track', 'operational', 'GET', 'kept');
    expect(['now', 'then'], where).toContain(value);
    if (isDone || !findings.includes('restore-unfinished vault')) {
      expect(findings, where).toEqual([]);
      return;
    }
    const report = await nexus.report(1, 'check', 'track');
    const { evidence, remedy } = findingOf(report, 'track', 'restore-unfinished');
    expect(remedy, where).toContain('nexus3 restore track');
    if (evidence['phase'] === 'opening') return;
    expect(value, where).toBe('now');
    expect(findings, where).toEqual(['restore-unfinished vault']);
    if (evidence['phase'] === 'proving') {
      const users = await nexus.configText('track', 'vault', 'users.acl');
      expect(users, where).toMatch(/^user default off [^]*^user replicator off /m);
    }
    await nexus.run('up', 'track');
    await nexus.run('check', 'track', '--fix');
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept'), where).toBe('now');
  }

  /** False: there was nothing to take back any more, or nothing yet. */
  async function tookBack(where: string): Promise<boolean> {
    const { code, out } = await nexus.run('restore', 'track', '--abort', '--yes', '--json');
    if (code !== 0) expect(out, where).toContain('RESTORE_REFUSED');
    return code === 0;
  }
}

const nothing = (): Promise<void> => Promise.resolve();
const cutShort = (snapshot: Buffer): Buffer => snapshot.subarray(0, snapshot.length - 20);
const ofTheFuture = (snapshot: Buffer): Buffer =>
  Buffer.from(snapshot.toString('latin1').replace(/^REDIS00\d\d/, 'REDIS0099'), 'latin1');

async function flipBit(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  const { size } = await file.stat();
  const byte = Buffer.alloc(1);
  const position = Math.floor(size / 2);
  await file.read(byte, 0, 1, position);
  await file.write(Buffer.from([(byte[0] ?? 0) ^ 0x10]), 0, 1, position);
}

async function claimOther(path: string): Promise<void> {
  await writeFile(path, (await readFile(path, 'utf8')).replace(/"keys": ?\d+/, '"keys":4711'));
}

function runIdIn(info: unknown): string | undefined {
  return /run_id:(\w+)/.exec(String(info))?.[1];
}

/** Six bits a character (Redis source, module.c, moduleTypeEncodeId); the ten lowest bits are the encoding's version. */
const MODULE_CHARACTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
const ENCODING_BITS = 10n;

function withGraphEncoding(snapshot: Buffer): Buffer {
  let name = 0n;
  for (const character of 'graphdata') name = (name << 6n) | BigInt(MODULE_CHARACTERS.indexOf(character));
  const changed = Buffer.from(snapshot);
  let found = 0;
  for (let at = 0; at + 8 <= changed.length; at += 1) {
    if (changed.readBigUInt64BE(at) >> ENCODING_BITS !== name) continue;
    changed.writeBigUInt64BE((name << ENCODING_BITS) | 1023n, at);
    found += 1;
  }
  if (found === 0) throw new Error('there is no graph in that snapshot');
  return changed;
}

const REFUSED: readonly [string, string, TakeOptions, (path: string, manifest: Manifest) => Promise<void>][] = [
  ['truncated', 'BACKUP_DAMAGED', {}, (path, { snapshot }) => truncate(path, snapshot.bytes - 1)],
  ['with a bit flipped', 'BACKUP_DAMAGED', {}, (path) => flipBit(path)],
  ['with a byte more', 'BACKUP_DAMAGED', {}, (path) => appendFile(path, 'x')],
  [
    'never verified, and no snapshot',
    'BACKUP_DAMAGED',
    { verified: false, change: () => Buffer.from('nothing') },
    nothing,
  ],
  ['never verified, and ends too early', 'BACKUP_DAMAGED', { verified: false, change: cutShort }, nothing],
  ['never verified, and of the future', 'BACKUP_TOO_NEW', { verified: false, change: ofTheFuture }, nothing],
  [
    'never verified, and with graphs of the future',
    'BACKUP_TOO_NEW',
    { verified: false, change: withGraphEncoding },
    nothing,
  ],
  ['with a foreign manifest', 'BACKUP_INVALID', {}, (path) => claimOther(join(path, '..', 'manifest.json'))],
  [
    'of a newer engine',
    'BACKUP_TOO_NEW',
    { engine: { kind: 'redis', version: '99.0.0', graphModule: 41_603 } },
    nothing,
  ],
  [
    'of a newer graph module',
    'BACKUP_TOO_NEW',
    { engine: { kind: 'redis', version: '8.2.3', graphModule: 49_900 } },
    nothing,
  ],
];

const TAKEN_BACK: readonly [string, RegExp, TakeOptions][] = [
  [
    'a manifest that lies',
    /BACKUP_UNTRUE.*lasting keys expected/,
    { lie: (content) => ({ ...content, databases: [{ db: 0, keys: 99, expiring: 0 }] }) },
  ],
  ['one that ends too early', /START_FAILED/, { change: cutShort }],
  ['a format of the future', /START_FAILED/, { change: ofTheFuture }],
  ['a graph encoding of the future', /START_FAILED/, { change: withGraphEncoding }],
  ['no snapshot at all', /START_FAILED/, { change: () => Buffer.from('this is not a snapshot') }],
];
