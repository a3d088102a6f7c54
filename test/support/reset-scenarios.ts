/** `locker reset`: root key and kit are lost; everything is in force again under new passwords, and the data are whole. */
import { readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RootKey } from '../../src/locker/root-key.js';
import type { CredentialName } from '../../src/protocol/users.js';
import { Secret } from '../../src/protocol/secret.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { openConnection } from '../../src/redis/connection.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import { runCommand } from './command.js';
import type { NexusOptions } from './nexus.js';
import { codesOf, Nexus } from './nexus.js';
import { chance, instant, rounds, SEED } from './random.js';

const MINUTE_MS = 60_000;

interface ResetDocument {
  readonly ok: boolean;
  readonly resumed: boolean;
  readonly keptRootKey: string | null;
  readonly keptLocker: string | null;
  readonly environments: readonly { readonly name: string; readonly outcome: string }[];
}

/** A field in Locker: the one that is named, or the first value; and one that is put in its place. */
interface Place {
  readonly key: string;
  readonly named?: string;
  readonly other?: string;
}

/** @param kills how many of them, in CI and in soak. Of `track` (standard) and `user` (secure). */
export function describeReset(
  options: NexusOptions,
  hands: Hands,
  kills: { readonly inCi: number; readonly inSoak: number },
): void {
  let nexus: Nexus;
  const keyFile = (): string => join(nexus.root, 'root.key');
  const loseTheKey = (): Promise<void> => rm(keyFile());

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})");
    await nexus.admin('user', 'vault', 'SET', 'kept', 'also');
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value', 'replication');
  }, 2 * MINUTE_MS);

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  const USERS: readonly (readonly [env: string, user: CredentialName])[] = [
    ['track', 'default'],
    ['track', 'admin'],
    ['track', 'replicator'],
    ['track', 'backup'],
    ['user', 'default'],
    ['user', 'admin'],
    ['locker', 'default'],
    ['locker', 'admin'],
  ];

  async function passwords(): Promise<ReadonlyMap<string, string>> {
    const all = new Map<string, string>();
    for (const [env, user] of USERS) all.set(`${env} ${user}`, await nexus.password(env, user));
    return all;
  }

  async function accepts(env: string, user: string, password: string): Promise<boolean> {
    try {
      const address = hostAddress(await nexus.spec(env, 'vault'));
      (await openConnection(address, { user, password: new Secret(password) })).close();
      return true;
    } catch {
      return false;
    }
  }

  /** Data whole, new passwords accepted, old ones refused, nothing left to do. */
  async function isRenewed(before: ReadonlyMap<string, string>, where: string): Promise<void> {
    const report = await nexus.report(0, 'check');
    for (const env of ['locker', 'track', 'user']) expect(codesOf(report, env), `${where}: ${env}`).toEqual([]);
    for (const [env, user] of USERS) {
      const now = await nexus.password(env, user);
      const old = before.get(`${env} ${user}`) ?? '';
      expect(now, `${where}: ${env} ${user}`).not.toBe(old);
      expect(await accepts(env, user, now), `${where}: new password of ${env} ${user}`).toBe(true);
      expect(await accepts(env, user, old), `${where}: old password of ${env} ${user}`).toBe(false);
    }
    expect(await nexus.admin('track', 'vault', 'GET', 'kept'), where).toBe('value');
    expect(await nexus.admin('user', 'vault', 'GET', 'kept'), where).toBe('also');
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept'), where).toBe('value');
    const count = ['GRAPH.RO_QUERY', 'projects', 'MATCH (p:Project) RETURN p.name'];
    expect(JSON.stringify(await nexus.anonymous('track', 'operational', ...count)), where).toContain('nexus');
    expect(await readdir(join(nexus.dataRoot, 'locker')), where).not.toContain('reset');
  }

  describe('where nothing is lost', () => {
    it('it is refused, and says what is meant instead', async () => {
      const { code, err } = await nexus.run('locker', 'reset', '--yes');
      expect(code).toBe(1);
      expect(err).toContain('Nothing is lost');
      expect(err).toContain('nexus3 locker rekey');
    });

    it('also while Locker is down: its users tell that this is its key', async () => {
      await hands.stop(nexus, 'locker', 'vault');
      const { code, err } = await nexus.run('locker', 'reset', '--yes');
      expect(code).toBe(1);
      expect(err).toContain('nexus3 up locker');
      await nexus.report(0, 'up');
    });
  });

  describe('where something in Locker does not open, and nothing else is wrong', () => {
    const TRACK = 'nexus3:locker:l_e0dd:env:track';
    const onLocker = (...command: readonly string[]): Promise<unknown> => nexus.admin('locker', 'vault', ...command);
    let id = '';

    beforeAll(async () => {
      const made = await nexus.run('locker', 'create', 'notes', '--json');
      ({ id } = JSON.parse(made.out) as { id: string });
      const set = await nexus.runWith({ stdin: 'a value' }, 'locker', 'set', id, 'key');
      expect([made.code, set.code], made.err + set.err).toEqual([0, 0]);
      expect((await nexus.run('locker', 'grant', 'user')).code).toBe(0);
    });
    afterAll(async () => {
      expect((await nexus.run('locker', 'revoke', 'user')).code).toBe(0);
    });

    it.each<[string, () => Place]>([
      ['a password was changed', () => ({ key: TRACK, named: 'value:backup' })],
      ['a password was moved', () => ({ key: TRACK, named: 'value:backup', other: 'value:admin' })],
      ['a value of a locker was changed', () => ({ key: `nexus3:locker:${id}:values`, named: 'value:key' })],
      ['what it knows of a token was changed', () => ({ key: 'nexus3:locker:tokens' })],
    ])('it may be done: %s', async (_what, where) => {
      const { key, named, other } = where();
      const fields = (await onLocker('HKEYS', key)) as readonly string[];
      const field = named ?? fields.find((name) => name.startsWith('value:')) ?? '';
      const text = String(await onLocker('HGET', key, field));
      await onLocker(
        'HSET',
        key,
        field,
        other === undefined ? text.slice(0, -8) : String(await onLocker('HGET', key, other)),
      );
      const { code, err } = await nexus.run('locker', 'reset', '--dry-run');
      await onLocker('HSET', key, field, text);
      expect(code, err).toBe(0);
      expect((await nexus.run('locker', 'reset', '--dry-run')).err).toContain('Nothing is lost');
    });
  });

  it('the root key is gone: shown, confirmed, done, proven; what Locker held is kept', async () => {
    const before = await passwords();
    await loseTheKey();
    const dry = await nexus.run('locker', 'reset', '--dry-run');
    expect(dry.code, dry.err).toBe(0);
    expect(dry.out).toContain('gone for good');
    const unasked = await nexus.run('locker', 'reset');
    expect(unasked.code).toBe(2);
    expect(unasked.err).toContain('nexus3 locker reset --yes');
    expect(await nexus.asApplication('track', before.get('track default') ?? '', 'GET', 'kept')).toBe('value');

    const { code, out, err } = await nexus.run('locker', 'reset', '--yes', '--json');
    expect(code, err).toBe(0);
    const document = JSON.parse(out) as ResetDocument;
    expect(document).toMatchObject({ ok: true, resumed: false, keptRootKey: null });
    expect(document.environments.map(({ name, outcome }) => `${name} ${outcome}`).toSorted()).toEqual([
      'track renewed',
      'user renewed',
    ]);
    expect(await readdir(document.keptLocker ?? '')).toEqual(expect.arrayContaining(['vault', 'config']));
    await isRenewed(before, 'root key gone');
  });

  it.each([
    ['none at all', () => 'not a key\n'],
    ['another one', () => RootKey.generate().toText()],
  ])('the root key is %s: it is moved aside, never deleted', async (_which, text) => {
    const before = await passwords();
    await writeFile(keyFile(), text(), { mode: 0o600 });
    const { code, out, err } = await nexus.run('locker', 'reset', '--yes', '--json');
    expect(code, err).toBe(0);
    const { keptRootKey } = JSON.parse(out) as ResetDocument;
    expect(keptRootKey).toMatch(/root\.key\.lost-/);
    await isRenewed(before, 'key moved aside');
    await rename(keptRootKey ?? '', join(nexus.root, 'found'));
  });

  it('while one is unfinished, nothing makes a root key but the one that finishes it', async () => {
    const before = await passwords();
    await loseTheKey();
    // As a run leaves it that is killed right after its first step.
    const running = ['locker/vault', 'track/vault', 'track/operational', 'user/vault'];
    const marker = { stamp: 'killed', hadRootKey: false, moved: false, running };
    await writeFile(join(nexus.dataRoot, 'locker', 'reset'), JSON.stringify(marker), { mode: 0o600 });
    expect(codesOf(await nexus.report(3, 'check', 'locker'), 'locker')).toContain('reset-unfinished vault');
    for (const words of [['up'], ['create', 'later']]) {
      const { code, err } = await nexus.run(...words);
      expect(code, words.join(' ')).toBe(1);
      expect(err, words.join(' ')).toContain('nexus3 locker reset');
    }
    expect(await readdir(nexus.root)).not.toContain('root.key');
    const { code, out, err } = await nexus.run('locker', 'reset', '--yes', '--json');
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, resumed: true });
    await isRenewed(before, 'resumed');
  });

  it(
    'killed at any instant, and run again, it completes',
    async () => {
      const random = chance(SEED);
      const count = rounds(kills.inCi, kills.inSoak);
      let usualMs: number | undefined;
      for (let kill = 0; kill < count; kill += 1) {
        const before = await passwords();
        await loseTheKey();
        if (usualMs === undefined) {
          const usual = await runCommand(nexus, ['locker', 'reset', '--yes']);
          expect(usual.code, usual.output).toBe(0);
          usualMs = usual.ms;
          await isRenewed(before, 'undisturbed');
          kill -= 1;
          continue;
        }
        const afterMs = Math.floor(instant(random, kill, count, 0.15) * usualMs);
        const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usualMs.toFixed(0)} ms`;
        await runCommand(nexus, ['locker', 'reset', '--yes'], afterMs);
        const again = await runCommand(nexus, ['locker', 'reset', '--yes']);
        const wasDone = again.code === 1 && again.output.includes('Nothing is lost');
        expect(again.code === 0 || wasDone, `${where}\n${again.output}`).toBe(true);
        await isRenewed(before, where);
      }
    },
    rounds(kills.inCi, kills.inSoak) * MINUTE_MS + MINUTE_MS,
  );
}
