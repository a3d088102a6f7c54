/** Least privilege: a token reads what it was granted, of one environment, until it is taken back. On both runtimes. */
import { chmod, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Tokens } from '../../src/locker/locker.js';
import { SILENT } from '../../src/progress.js';
import { grant as replaceToken } from '../../src/reconcile/tokens.js';
import { runCommand } from './command.js';
import type { CliResult, NexusOptions } from './nexus.js';
import { Nexus } from './nexus.js';
import { chance, rounds, SEED } from './random.js';

const KILLS_IN_CI = 5;
const KILLS_IN_SOAK = 100;
const MINUTES = 60_000;

interface Granted {
  readonly id: string;
  readonly file: string;
}

function codeOf({ code, out }: CliResult): string {
  expect(code, out).not.toBe(0);
  return (JSON.parse(out) as { error: { code: string } }).error.code;
}

/** The same, with something done after each of its steps that takes time. */
function withEach(tokens: Tokens, then: (step: string) => Promise<void>): Tokens {
  return new Proxy(tokens, {
    get(target, step) {
      const method: unknown = Reflect.get(target, step);
      if (typeof method !== 'function') return method;
      return (...words: readonly unknown[]): unknown => {
        const result: unknown = Reflect.apply(method, target, words);
        if (!(result instanceof Promise)) return result;
        return result.then(async (value: unknown) => {
          await then(String(step));
          return value;
        });
      };
    },
  });
}

/** @param options environments `track` (standard) and `user` (secure) */
export function describeTokens(options: NexusOptions): void {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    await nexus.report(0, 'up');
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    for (const { id } of await grants()) await ok('locker', 'revoke', id);
  });

  async function ok(...args: readonly string[]): Promise<CliResult> {
    const result = await nexus.run(...args);
    expect(result.code, `nexus3 ${args.join(' ')}\n${result.err}${result.out}`).toBe(0);
    return result;
  }

  async function grant(...args: readonly string[]): Promise<Granted> {
    return JSON.parse((await ok('locker', 'grant', ...args, '--json')).out) as Granted;
  }

  async function grants(): Promise<readonly { id: string; env: string; file: string; state: string }[]> {
    const { out } = await nexus.run('locker', 'grants', '--json');
    return (JSON.parse(out) as { grants: { id: string; env: string; file: string; state: string }[] }).grants;
  }

  /** As its holder: no configuration, no root key, nothing but the token. */
  async function holder(file: string, ...args: readonly string[]): Promise<CliResult> {
    const env = { NEXUS3_TOKEN_FILE: file, NEXUS3_ROOT_KEY_FILE: '/nonexistent/root.key', NEXUS3_CONFIG: '' };
    return nexus.runWith({ env }, 'credentials', 'get', ...args);
  }

  async function refusal(file: string, ...args: readonly string[]): Promise<string> {
    return codeOf(await holder(file, ...args, '--json'));
  }

  async function failure(...args: readonly string[]): Promise<string> {
    return codeOf(await nexus.run(...args, '--json'));
  }

  async function isClean(where = ''): Promise<void> {
    const { code, out } = await nexus.run('check', '--json');
    expect(code, `${where}\n${out}`).toBe(0);
    expect(await nexus.findings('locker'), where).toEqual([]);
  }

  /** Users on Locker that are there for tokens. */
  async function tokenUsers(): Promise<readonly string[]> {
    const users = (await nexus.admin('locker', 'vault', 'ACL', 'USERS')) as readonly string[];
    return users.filter((name) => name.startsWith('t_')).toSorted();
  }

  it('reads the one password that it was granted, and closes its file', async () => {
    const { id, file } = await grant('track', '--label', 'mcp of track');
    expect(file).toBe(join(nexus.root, 'tokens', 'track.token'));
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const { code, out, err } = await holder(file, 'track');
    expect(code, err).toBe(0);
    expect(out.trimEnd()).toBe(await nexus.password('track'));
    expect(await nexus.asApplication('track', out.trimEnd(), 'PING')).toBe('PONG');
    expect(await refusal(file, 'track', '--user', 'admin')).toBe('TOKEN_NOT_FOR');
    expect(await refusal(file, 'user')).toBe('TOKEN_NOT_FOR');
    expect((await grants()).map((one) => [one.id, one.state])).toEqual([[id, 'in force']]);
    await isClean();
  });

  it('reads several when several are named, also the operational’s administrator at its own port', async () => {
    const { file } = await grant('track', '--user', 'backup', '--user', 'operational-admin');
    const { out } = await holder(file, 'track', '--user', 'operational-admin', '--json');
    const { vault } = { vault: await nexus.spec('track', 'vault') };
    expect(JSON.parse(out)).toMatchObject({ username: 'admin', port: vault.port + 1 });
    expect(await refusal(file, 'track')).toBe('TOKEN_NOT_FOR');
  });

  it('goes on through restarts of Locker, and `check` finds nothing', async () => {
    const { file } = await grant('user');
    await ok('down', 'locker');
    expect(await refusal(file, 'user')).toBe('LOCKER_UNREACHABLE');
    await ok('up', 'locker');
    await isClean('after a restart');
    expect((await holder(file, 'user')).out.trimEnd()).toBe(await nexus.password('user'));
  });

  it('replaces a token of the same file, and leaves those of other files alone', async () => {
    const other = await grant('track', '--out', join(nexus.root, 'other.token'));
    const first = await grant('track');
    const kept = await readFile(first.file);
    const second = await grant('track');
    expect(second).toMatchObject({ file: first.file, replaced: [first.id] });
    expect(await tokenUsers()).toEqual([other.id, second.id].toSorted());
    await writeFile(join(nexus.root, 'kept.token'), kept, { mode: 0o600 });
    expect(await refusal(join(nexus.root, 'kept.token'), 'track')).toBe('TOKEN_REVOKED');
    for (const { file } of [other, second]) expect((await holder(file, 'track')).code).toBe(0);
  });

  it('lets its holder read at every step of being replaced', async () => {
    const { id, file } = await grant('track');
    await using world = await nexus.world();
    const read: string[] = [];
    const readsAfter = async (step: string): Promise<void> => {
      const { code, err } = await holder(file, 'track');
      read.push(code === 0 ? step : `${step}: ${err}`);
    };
    vi.spyOn(world.locker, 'tokens').mockResolvedValue(withEach(await world.locker.tokens(), readsAfter));
    const options = { env: 'track', names: ['default'], file, label: '' } as const;
    const { replaced } = await replaceToken(world, options, SILENT);
    expect(replaced).toEqual([id]);
    expect(read).toEqual([
      'refuseOtherFile',
      ...['list', 'create', 'list', 'markRevoked', 'list', 'shutOut', 'forget'],
    ]);
  });

  it('is refused when it was taken back; its file is gone, and the values are sealed anew', async () => {
    const { id, file } = await grant('track');
    const stays = await grant('track', '--out', join(nexus.root, 'stays.token'));
    const kept = await readFile(file);
    const before = await nexus.admin('locker', 'vault', 'HGETALL', 'nexus3:locker:l_e0dd:env:track');
    const { out } = await ok('locker', 'revoke', id);
    expect(out).toContain('nexus3 rotate track');
    expect(await refusal(file, 'track')).toBe('TOKEN_MISSING');
    await writeFile(file, kept, { mode: 0o600 });
    expect(await refusal(file, 'track')).toBe('TOKEN_REVOKED');
    expect(await tokenUsers()).toEqual([stays.id]);
    const after = await nexus.admin('locker', 'vault', 'HGETALL', 'nexus3:locker:l_e0dd:env:track');
    const isSame = (after as readonly string[]).filter(
      (text) => /^v\d\./.test(text) && JSON.stringify(before).includes(text),
    );
    expect(isSame).toEqual([]);
    expect((await holder(stays.file, 'track')).out.trimEnd()).toBe(await nexus.password('track'));
    expect(await failure('locker', 'revoke', id)).toBe('TOKEN_UNKNOWN');
    await isClean();
  });

  it('is taken back when its environment is removed', async () => {
    await ok('create', 'notes');
    const { file } = await grant('notes');
    expect((await holder(file, 'notes')).code).toBe(0);
    await ok('remove', 'notes', '--yes', '--delete-data');
    expect(await refusal(file, 'notes')).toBe('TOKEN_MISSING');
    expect([await grants(), await tokenUsers()]).toEqual([[], []]);
    expect(await nexus.admin('locker', 'vault', 'EXISTS', 'nexus3:locker:l_e0dd:env:notes')).toBe(0);
    await isClean();
  });

  it('is not given for Locker, nor for what is not there, nor over another file', async () => {
    expect(await failure('locker', 'grant', 'locker')).toBe('USAGE');
    expect(await failure('locker', 'grant', 'nothing')).toBe('ENVIRONMENT_UNKNOWN');
    expect(await failure('locker', 'grant', 'user', '--user', 'replicator')).toBe('LOCKER_CREDENTIAL_MISSING');
    expect(await failure('locker', 'grant', 'track', '--out', nexus.configFile)).toBe('TOKEN_UNSAFE');
    await chmod(nexus.configFile, 0o600);
    expect(await failure('locker', 'grant', 'track', '--out', nexus.configFile)).toBe('TOKEN_INVALID');
    expect(await failure('locker', 'revoke', 'user')).toBe('TOKEN_UNKNOWN');
    expect(await failure('locker', 'revoke', 'nothing')).toBe('ENVIRONMENT_UNKNOWN');
    expect(await grants()).toEqual([]);
  });

  it('is refused with its own error where its file is not what it should be', async () => {
    const { file } = await grant('track');
    const text = await readFile(file, 'utf8');
    await chmod(file, 0o644);
    expect(await refusal(file, 'track')).toBe('TOKEN_UNSAFE');
    await chmod(file, 0o600);
    await writeFile(file, text.slice(0, -8));
    expect(await refusal(file, 'track')).toBe('TOKEN_INVALID');
    await writeFile(file, text);
    expect((await holder(file, 'track')).code).toBe(0);
  });

  it('that Locker does not know is put out of force by a repair, also where it knows none at all', async () => {
    const { id, file } = await grant('track');
    const tokensFile = join((await nexus.spec('locker', 'vault')).configDir, 'tokens');
    const kept = [await readFile(tokensFile), await readFile(file)] as const;
    await ok('locker', 'revoke', id);
    await writeFile(tokensFile, kept[0]);
    await writeFile(file, kept[1], { mode: 0o600 });
    await ok('check', 'locker', '--fix');
    expect(await tokenUsers()).toEqual([id]);
    await ok('locker', 'grants', '--repair');
    expect(await tokenUsers()).toEqual([]);
    expect(await readFile(tokensFile, 'utf8')).not.toContain(id);
    await isClean();
  });

  it('whose line Locker lost is refused, listed as not in force, and repaired', async () => {
    const { file } = await grant('track');
    const { configDir } = await nexus.spec('locker', 'vault');
    await rename(join(configDir, 'tokens'), join(nexus.root, 'lost'));
    await ok('check', 'locker', '--fix');
    expect(await refusal(file, 'track')).toBe('TOKEN_REVOKED');
    expect((await grants()).map(({ state }) => state)).toEqual(['not in force']);
    await ok('locker', 'grants', '--repair');
    expect((await holder(file, 'track')).code).toBe(0);
    await isClean();
  });

  describe('killed anywhere and run again', () => {
    const kills = rounds(KILLS_IN_CI, KILLS_IN_SOAK);
    const random = chance(SEED);

    async function killed(args: readonly string[], usualMs: number): Promise<string> {
      const afterMs = Math.floor(random() * usualMs);
      await runCommand(nexus, args, afterMs);
      return `seed ${String(SEED)}, ${args.join(' ')} killed after ${String(afterMs)} of ${usualMs.toFixed(0)} ms`;
    }

    it(
      'grant ends with one token for its file, and revoke with none',
      async () => {
        const usual = await runCommand(nexus, ['locker', 'grant', 'track']);
        expect(usual.code, usual.output).toBe(0);
        const revoking = await runCommand(nexus, ['locker', 'revoke', 'track']);
        expect(revoking.code, revoking.output).toBe(0);
        for (let kill = 0; kill < kills; kill += 1) {
          const where = await killed(['locker', 'grant', 'track'], usual.ms);
          const { id, file } = await grant('track');
          expect([(await grants()).map((one) => one.id), await tokenUsers()], where).toEqual([[id], [id]]);
          expect((await holder(file, 'track')).out.trimEnd(), where).toBe(await nexus.password('track'));
          await isClean(where);
          const then = await killed(['locker', 'revoke', 'track'], revoking.ms);
          const again = await nexus.run('locker', 'revoke', 'track', '--json');
          expect(again.code === 0 ? 'TOKEN_UNKNOWN' : codeOf(again), `${then}\n${again.out}`).toBe('TOKEN_UNKNOWN');
          expect([await grants(), await tokenUsers()], then).toEqual([[], []]);
          expect(await refusal(file, 'track'), then).toBe('TOKEN_MISSING');
          await isClean(then);
        }
      },
      kills * MINUTES,
    );
  });
}
