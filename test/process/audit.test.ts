/** Who asked Locker for what: the story of a week, attackers who would change it, and writers that are killed. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../src/locker/audit/audit.js';
import { runCommand } from '../support/command.js';
import { Nexus, type PlainReply } from '../support/nexus.js';
import { chance, rounds, SEED } from '../support/random.js';
import { say } from '../support/raw-redis.js';
import { findIn, huntFiles, passwordsOf } from '../support/secret-hunt.js';
import { hostAddress } from '../../src/reconcile/access.js';

const STREAM = 'nexus3:locker:audit';
const HEAD = 'nexus3:locker:audit:head';
const WRITERS = 4;
const MINUTE_MS = 60_000;

let nexus: Nexus;
beforeAll(async () => {
  nexus = await Nexus.make({
    runtime: 'process',
    environments: { track: 'secure', web: 'secure' },
    yaml: 'audit: { entriesMax: 40 }',
  });
  await nexus.report(0, 'up');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

interface AuditDocument {
  readonly entries: readonly AuditEntry[];
  readonly proof: { readonly entries: number; readonly lastSeq: number; readonly warnings: readonly string[] } | null;
  readonly error?: { readonly code: string; readonly evidence: readonly string[]; readonly hint: string };
}

async function audit(code: number, ...args: readonly string[]): Promise<AuditDocument> {
  const result = await nexus.run('locker', 'audit', ...args, '--json');
  expect(result.code, result.out + result.err).toBe(code);
  return JSON.parse(result.out) as AuditDocument;
}

const shown = ({ entries }: AuditDocument): readonly string[] =>
  entries.map(({ action, what, outcome }) => `${action} ${what} ${outcome}`);

async function get(...args: readonly string[]): Promise<number> {
  return (await nexus.run('credentials', 'get', ...args)).code;
}

describe('the story of a week', () => {
  it('is told: who had what, what was refused, in order', async () => {
    expect(await get('track')).toBe(0);
    expect(await get('web', '--user', 'admin')).toBe(0);
    // A Secure Environment has no operational.
    expect(await get('track', '--user', 'operational-admin')).toBe(3);
    expect(await get('locker', '--user', 'backup')).toBe(0);
    const locker = hostAddress(await nexus.spec('locker', 'vault'));
    expect(await say(locker, 'AUTH default not-the-password')).toContain('WRONGPASS');
    const document = await audit(0);
    expect(shown(document).slice(-5)).toEqual([
      'get track/default ok',
      'get web/admin ok',
      'get track/operational-admin failed',
      'get locker/backup ok',
      'login locker, user default denied',
    ]);
    const [first] = document.entries;
    expect(first?.who).toMatchObject({ pid: process.pid, token: null });
    expect(first?.who.user).not.toBe('');
    expect(document.entries.every(({ genuine }) => genuine)).toBe(true);
    expect(shown(await audit(0, '--what', 'track/', '--action', 'get'))).toEqual([
      'get track/default ok',
      'get track/operational-admin failed',
    ]);
    expect((await audit(0, '--since', '1h', '--limit', '2')).entries).toHaveLength(2);
    expect((await audit(0, '--since', '2999-01-01')).entries).toEqual([]);
    await audit(2, '--since', 'yesterday');
  });

  it('reads well, and is proven', async () => {
    const table = await nexus.run('locker', 'audit');
    expect(table.out).toMatch(/WHEN .*ACTION .*WHAT .*WHO/);
    const proven = await nexus.run('locker', 'audit', '--verify');
    expect([proven.code, proven.out], proven.err).toEqual([
      0,
      expect.stringMatching(/^The audit is whole: entries 1 to \d+\.\n$/),
    ]);
  });

  it('is told to the one who asks before it is handed out: no audit, no password', async () => {
    const [admin, own] = [await nexus.password('locker', 'admin'), await nexus.password('locker')];
    await nexus.admin('locker', 'vault', 'CONFIG', 'SET', 'maxmemory', '1');
    const refused = await nexus.run('credentials', 'get', 'track');
    const lockers = await nexus.run('credentials', 'get', 'locker');
    await nexus.admin('locker', 'vault', 'CONFIG', 'SET', 'maxmemory', '0');
    expect([refused.code, refused.out]).toEqual([1, '']);
    expect(refused.err).toContain('cannot write its audit');
    expect(lockers.out.trim(), 'with which one repairs it').toBe(own);
    expect(lockers.err).toContain('could not be noted');
    expect(admin).not.toBe(own);
    await nexus.run('down', 'locker');
    expect((await nexus.run('credentials', 'get', 'locker')).out.trim()).toBe(own);
    expect(await get('track')).toBe(3);
    await nexus.report(0, 'up', 'locker');
    await audit(0, '--verify');
  });

  it('is bounded, and proven all the same', async () => {
    for (let index = 0; index < 45; index += 1) expect(await get('web')).toBe(0);
    const { proof } = await audit(0, '--verify');
    expect(proof?.entries).toBeLessThanOrEqual(40);
    expect(proof?.lastSeq).toBeGreaterThan(45);
    expect((await nexus.run('locker', 'audit', '--verify')).out).toContain('were trimmed away');
  });

  it('holds no value of any secret', async () => {
    const passwords = await passwordsOf(nexus, ['locker', 'track', 'web']);
    const { out } = await nexus.run('locker', 'audit', '--limit', '1000', '--json');
    const raw = JSON.stringify([
      await nexus.admin('locker', 'vault', 'XRANGE', STREAM, '-', '+'),
      await nexus.admin('locker', 'vault', 'HGETALL', HEAD),
    ]);
    expect(passwords.size).toBeGreaterThan(8);
    expect(findIn('the audit', `${out}${raw}${await readFile(headFile(), 'utf8')}`, passwords)).toEqual([]);
    expect((await huntFiles(nexus.root, passwords, () => false)).found).toEqual([]);
  });
});

const headFile = (): string => join(nexus.root, 'root.key.audit-head');

describe('an attacker with access to Locker’s Redis', () => {
  type Copy = readonly (readonly string[])[];

  async function ids(): Promise<readonly string[]> {
    const entries = (await attack('XRANGE', STREAM, '-', '+')) as readonly [string, unknown][];
    return entries.map(([id]) => id);
  }

  /** All that it takes to put the audit back as it is now. */
  async function copy(): Promise<Copy> {
    const entries = (await attack('XRANGE', STREAM, '-', '+')) as [string, string[]][];
    const head = (await attack('HGETALL', HEAD)) as string[];
    return [
      ['DEL', STREAM, HEAD],
      ...entries.map(([id, words]) => ['XADD', STREAM, id, ...words]),
      ['HSET', HEAD, ...head],
    ];
  }

  async function putBack(commands: Copy): Promise<void> {
    for (const command of commands) await attack(...command);
  }

  /** With a password that was asked for before: each asking is noted. */
  async function attack(...command: readonly string[]): Promise<PlainReply | undefined> {
    return nexus.asApplication('locker', password, ...command);
  }

  let password = '';

  async function found(): Promise<string> {
    const { error } = await audit(1, '--verify');
    expect(error?.code).toBe('AUDIT_BROKEN');
    expect(error?.hint).toContain('--begin-anew');
    return error?.evidence[0] ?? '';
  }

  beforeEach(async () => {
    password = await nexus.password('locker');
    await beginAnew();
    for (let index = 0; index < 5; index += 1) expect(await get('track')).toBe(0);
    // Also what the server refused meanwhile.
    await audit(0, '--verify');
  });

  it('removes one', async () => {
    await attack('XDEL', STREAM, '3-0');
    expect(await found()).toBe('3: removed: entry 3 was removed');
  });

  it('removes the last three, and nexus3 goes on', async () => {
    const last = await ids();
    await attack('XDEL', STREAM, ...last.slice(-3));
    const from = String(last.length - 2);
    expect(await found()).toBe(`${from}: tail-cut: entries ${from} to ${String(last.length)} were cut off at the end`);
    const next = await nexus.run('credentials', 'get', 'track');
    expect(next.code).toBe(0);
    expect(next.err).toContain('locker audit --verify');
    expect(await found()).toContain(`${from}: removed`);
  });

  it('edits one, at the end, as a stream allows', async () => {
    const [[, words]] = (await attack('XRANGE', STREAM, '2-0', '2-0')) as [[string, string[]]];
    await attack('XDEL', STREAM, '2-0');
    await attack('XADD', STREAM, '900-0', ...words.map((word) => word.replace('track', 'other')));
    expect(await found()).toBe('2: removed: entry 2 was removed');
    const { error } = await audit(1, '--verify');
    expect(error?.evidence.join('\n')).toContain('900: inserted');
  });

  it('writes it anew with one changed in its place', async () => {
    const commands = await copy();
    await putBack(
      commands.map((words) => (words[2] === '4-0' ? words.map((word) => word.replace('track', 'other')) : words)),
    );
    expect(await found()).toBe('4: changed: entry 4 was changed: it does not fit its MAC');
    const { entries } = await audit(0);
    expect(entries.filter(({ genuine }) => !genuine)).toMatchObject([{ seq: 4, what: 'other/default' }]);
  });

  it('deletes the stream', async () => {
    await attack('DEL', STREAM);
    expect(await found()).toContain('all-removed: the whole stream was deleted');
  });

  it('puts an older copy of all of it back, and lets it go on', async () => {
    const older = await copy();
    expect(await get('web')).toBe(0);
    expect(await get('web', '--user', 'admin')).toBe(0);
    await putBack(older);
    expect(await found()).toContain('rolled-back: the audit was put back to an older state');
    for (let index = 0; index < 4; index += 1) expect(await get('track')).toBe(0);
    expect(await found()).toContain('rewritten:');
  });

  it('deletes the head', async () => {
    await attack('DEL', HEAD);
    expect(await found()).toContain('head-missing: the head in Locker');
    expect(await get('track')).toBe(0);
    expect(await found()).toContain('continued:');
  });

  it('deletes all of the audit, its key as well', async () => {
    await attack('DEL', STREAM, HEAD, 'nexus3:locker:audit:key');
    expect(await found()).toContain('the whole audit was deleted');
    expect(await get('track')).toBe(0);
    expect(await found()).toContain('another-audit');
  });

  it('what is whole is not set aside', async () => {
    const { code, err } = await nexus.run('locker', 'audit', '--begin-anew', '--yes');
    expect(code).toBe(2);
    expect(err).toContain('The audit is whole');
    await audit(0, '--verify');
  });

  it('and on a new host, where nothing is remembered, the proof says what it cannot know', async () => {
    await rm(headFile());
    const { proof } = await audit(0, '--verify');
    expect(proof?.warnings.join()).toContain('is not there');
  });
});

/** Also of one that is whole, which the command refuses. */
async function beginAnew(): Promise<void> {
  await using world = await nexus.world();
  await (await world.locker.audit()).beginAnew();
}

describe('writers that are killed', () => {
  it(
    'leave a chain that is whole, and each of them that printed a password is in it',
    async () => {
      await nexus.editYaml((text) => text.replace('entriesMax: 40', 'entriesMax: 1000'));
      await beginAnew();
      const random = chance(SEED);
      const usual = await runCommand(nexus, ['credentials', 'get', 'track']);
      let handedOut = 1;
      for (let round = 0; round < rounds(5, 100); round += 1) {
        const results = await Promise.all(
          Array.from({ length: WRITERS }, () =>
            runCommand(nexus, ['credentials', 'get', 'track'], Math.floor(random() * usual.ms * 2 * WRITERS)),
          ),
        );
        handedOut += results.filter(({ output }) => /^[\w-]{43}\n/.test(output)).length;
        const where = `seed ${String(SEED)}, round ${String(round)}`;
        const { code, out, err } = await nexus.run('locker', 'audit', '--verify');
        expect(code, `${where}\n${out}${err}`).toBe(0);
        const { entries } = await audit(0, '--what', 'track/default', '--limit', '1000');
        expect(entries.length, where).toBeGreaterThanOrEqual(handedOut);
      }
    },
    rounds(5, 100) * MINUTE_MS,
  );
});
