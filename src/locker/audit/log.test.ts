/** The audit against a real server with the rendered users of Locker's vault, by many writers at once. */
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../../test/support/engine.js';
import { failureOf } from '../../../test/support/failure.js';
import { say } from '../../../test/support/raw-redis.js';
import { startServer, type TestServer } from '../../../test/support/redis-server.js';
import { Secret } from '../../protocol/secret.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { openTextConnection } from '../../redis/text-connection.js';
import type { LockerConnection } from '../channel.js';
import { LockerDatabase } from '../database.js';
import { deriveKeyEncryptionKey, deriveOwnCredentials } from '../derive.js';
import { DataKey } from '../envelope.js';
import type { KeySource } from '../key-ring.js';
import type { AuditNote } from '../locker.js';
import { RootKey } from '../root-key.js';
import { AuditLog } from './log.js';
import { LockerAudit } from './service.js';

const rootKey = RootKey.generate();
const own = deriveOwnCredentials(rootKey);
const HOLDER = new Secret('password-of-a-token');
const TOKEN = 't_1a2b3c4d';
const STREAM = 'nexus3:locker:audit';
const INBOX = `nexus3:locker:audit:inbox:${TOKEN}`;

let server: TestServer;
let folder: string;
let headFile: string;
let warnings: string[];
const opened: AuditLog[] = [];

const connectAs = (user: 'default' | 'admin'): Promise<LockerConnection> =>
  openTextConnection(server.address, { user, password: own[user] });

function newLog(entriesMax = 1_000, counted?: (commands: number) => void): AuditLog {
  const connect = async (): Promise<LockerConnection> => {
    const connection = await connectAs('default');
    return {
      get isOpen() {
        return connection.isOpen;
      },
      ask: (commands, timeoutMs) => {
        counted?.(commands.length);
        return connection.ask(commands, timeoutMs);
      },
      close: () => connection.close(),
    };
  };
  const database = new LockerDatabase(rootKey, connect);
  const log = new AuditLog({ database, headFile, entriesMax, warn: (text) => warnings.push(text) });
  opened.push(log);
  return log;
}

function auditOf(log: AuditLog): LockerAudit {
  return new LockerAudit(log, () => connectAs('admin'));
}

function get(what: string): AuditNote {
  return { action: 'get', what, outcome: 'ok' };
}

async function ask(...command: readonly string[]): Promise<unknown> {
  const connection = await connectAs('admin');
  try {
    return (await connection.ask([command]))[0];
  } finally {
    connection.close();
  }
}

async function asHolder(...command: readonly string[]): Promise<unknown> {
  const connection = await openTextConnection(server.address, { user: TOKEN, password: HOLDER });
  try {
    return (await connection.ask([command]))[0];
  } finally {
    connection.close();
  }
}

/** A server that has just begun may still load its data. */
async function until(works: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if ((await works().catch(() => undefined)) !== undefined) return;
    await sleep(20);
  }
  throw new Error('it never worked');
}

beforeAll(async () => {
  await testEngine();
  const settings = { ...DEFAULT_SETTINGS, appendfsync: 'always' } as const;
  const { createHash } = await import('node:crypto');
  const passwordHash = `#${createHash('sha256').update(HOLDER.reveal()).digest('hex')}`;
  const credentials = { ...own, tokenUsers: [{ id: TOKEN, env: 'track', passwordHash }] };
  server = await startServer({ role: 'vault', kind: 'secure', credentials, settings });
  folder = await mkdtemp(join(tmpdir(), 'nexus3-audit-'));
  headFile = join(folder, 'root.key.audit-head');
}, ENGINE_TIMEOUT_MS);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  for (const log of opened.splice(0)) {
    await log.settled();
    await log.database.close();
  }
  warnings = [];
  await rm(headFile, { force: true });
  await ask('FLUSHALL');
  await ask('ACL', 'LOG', 'RESET');
});

describe('an append', () => {
  it('is there, is proven, and is remembered beside the root key', async () => {
    const log = newLog();
    await log.append(get('track/default'), { ...get('web/admin'), outcome: 'failed', detail: 'X' });
    const { entries } = await auditOf(log).read({ limit: 10 });
    expect(entries).toMatchObject([
      { seq: 1, action: 'get', what: 'track/default', outcome: 'ok', detail: null, genuine: true },
      { seq: 2, what: 'web/admin', outcome: 'failed', detail: 'X', who: { pid: process.pid, token: null } },
    ]);
    expect(entries[0]?.who.user).not.toBe('');
    await log.settled();
    expect(await auditOf(newLog()).verify()).toMatchObject({ entries: 2, firstSeq: 1, lastSeq: 2, warnings: [] });
    expect(JSON.parse(await readFile(headFile, 'utf8'))).toMatchObject({ 2: 2 });
    expect(warnings).toEqual([]);
  });

  it('costs two questions, and what else is asked for costs none', async () => {
    const asked: number[] = [];
    await newLog().append(get('first'));
    const log = newLog(1_000, (commands) => asked.push(commands));
    await ask('HSET', 'other', 'a', 'b');
    const result = await log.appendWith([['HGETALL', 'other']], ([reply]) => ({
      notes: [get('x')],
      result: reply,
    }));
    expect(result).toEqual(['a', 'b']);
    expect(asked).toHaveLength(2);
  });

  it('goes on when the file beside the root key cannot be written, and says so once', async () => {
    headFile = join(folder, 'nowhere', 'root.key.audit-head');
    const log = newLog();
    await log.append(get('a'));
    await log.append(get('b'));
    await log.settled();
    headFile = join(folder, 'root.key.audit-head');
    expect(warnings).toHaveLength(1);
    expect(warnings[0]).toContain('ENOENT');
    expect((await auditOf(log).verify()).warnings.join()).toContain('is not there');
  });

  it('is refused in words when Locker’s server refuses to write', async () => {
    const log = newLog();
    await log.append(get('a'));
    await ask('CONFIG', 'SET', 'maxmemory', '1');
    const error = await failureOf(log.append(get('b')));
    await ask('CONFIG', 'SET', 'maxmemory', '0');
    expect(error).toMatchObject({ code: 'AUDIT_NOT_WRITTEN', exitCode: 1 });
    expect(error.evidence.join()).toContain('OOM');
    await ask('DEL', STREAM);
    await ask('SET', STREAM, 'not a stream');
    expect(await failureOf(log.append(get('c')))).toMatchObject({ code: 'AUDIT_NOT_WRITTEN' });
    expect((await failureOf(auditOf(log).verify())).evidence.join()).toContain('is no audit');
  });

  it('goes on, and is proven, under another root key', async () => {
    const later = RootKey.generate();
    let [known, replaced] = [rootKey, rootKey];
    const keys: KeySource = {
      get latest() {
        return { root: known, other: undefined };
      },
      refresh: () => {
        known = replaced;
        return Promise.resolve();
      },
    };
    const database = new LockerDatabase(keys, () => connectAs('default'));
    // It runs all the while.
    const log = new AuditLog({ database, headFile, entriesMax: 100, warn: (warning) => warnings.push(warning) });
    opened.push(log);
    await log.append(get('before'));
    await log.settled();
    const text = String(await ask('HGET', `${STREAM}:key`, 'data-key'));
    const place = { lockerId: 'audit', env: '' };
    const wrapped = DataKey.unwrap(deriveKeyEncryptionKey(rootKey), place, text)?.wrap(
      deriveKeyEncryptionKey(later),
      place,
      1,
    );
    await ask('HSET', `${STREAM}:key`, 'data-key', wrapped ?? '');
    expect((await failureOf(auditOf(newLog()).verify())).code).toBe('LOCKER_VALUE_UNREADABLE');
    replaced = later;
    await log.append(get('after'));
    expect(await auditOf(log).verify()).toMatchObject({ entries: 2, warnings: [] });
  });

  it('of eight writers at once loses none', async () => {
    const logs = Array.from({ length: 8 }, () => newLog());
    await Promise.all(
      logs.map(async (log, writer) => {
        for (let index = 0; index < 15; index += 1) await log.append(get(`${String(writer)}-${String(index)}`));
        await log.settled();
      }),
    );
    expect(await auditOf(newLog()).verify()).toMatchObject({ entries: 120, lastSeq: 120 });
    const { entries } = await auditOf(newLog()).read({ limit: 200 });
    expect(new Set(entries.map(({ what }) => what)).size).toBe(120);
    expect(warnings).toEqual([]);
  });
});

describe('the size', () => {
  it('stays below the setting, and what is trimmed leaves a proof behind', async () => {
    const log = newLog(20);
    for (let index = 1; index <= 50; index += 1) {
      await log.append(get(String(index)));
      expect(Number(await ask('XLEN', STREAM))).toBeLessThanOrEqual(20);
    }
    const proof = await auditOf(log).verify();
    expect(proof).toMatchObject({ lastSeq: 50, warnings: [] });
    expect(proof.firstSeq).toBeGreaterThan(30);
    // The front cannot be cut further.
    await ask('XTRIM', STREAM, 'MAXLEN', '5');
    expect((await failureOf(auditOf(log).verify())).evidence.join()).toContain('front-cut');
  });

  it('follows a setting that is lowered or raised', async () => {
    await newLog(1_000).append(...Array.from({ length: 300 }, (_, index) => get(String(index))));
    const low = newLog(10);
    await low.append(get('x'));
    expect(await ask('XLEN', STREAM)).toBe(9);
    await auditOf(low).verify();
    const high = newLog(100);
    for (let index = 0; index < 30; index += 1) await high.append(get(String(index)));
    expect(await auditOf(high).verify()).toMatchObject({ entries: 39, lastSeq: 331 });
  });

  it('does not trim damage away unseen', async () => {
    const log = newLog(20);
    await log.append(...Array.from({ length: 15 }, (_, index) => get(String(index))));
    await ask('XDEL', STREAM, '4-0');
    for (let index = 0; index < 40; index += 1) await log.append(get(String(index)));
    const error = await failureOf(auditOf(log).verify());
    expect(error.evidence).toEqual(['4: trimmed: damage at entry 4 was seen when the oldest were trimmed away']);
  });
});

describe('what is left beside the chain is taken in,', () => {
  const note = (parts: object): string =>
    JSON.stringify({
      ...{ action: 'get', what: 'track/default', outcome: 'ok', at: '2026-01-08T12:00:00.000Z' },
      who: { user: 'ada', pid: 7, parent: 'node', token: 't_ffffffff' },
      ...parts,
    });

  it('notes of a token’s holder, in order, as the token’s own', async () => {
    await asHolder('XADD', INBOX, '*', 'note', note({}));
    await asHolder('XADD', INBOX, '*', 'note', note({ outcome: 'denied', detail: 'web' }));
    await asHolder('XADD', INBOX, '*', 'note', 'nonsense');
    await asHolder('XADD', INBOX, '*', 'note', note({ what: 'x'.repeat(5_000) }));
    await asHolder('XADD', INBOX, '*', 'other', 'thing', 'and', 'more');
    const audit = auditOf(newLog());
    expect(await audit.fold()).toEqual({ notes: 5, denied: 0 });
    expect(await audit.fold()).toEqual({ notes: 0, denied: 0 });
    const { entries } = await audit.read({ limit: 10 });
    expect(entries.map(({ who }) => who.token)).toEqual(Array(5).fill(TOKEN));
    expect(entries[0]).toMatchObject({ what: 'track/default', at: '2026-01-08T12:00:00.000Z', who: { user: 'ada' } });
    expect(entries[1]).toMatchObject({ outcome: 'denied', detail: 'web, noted by the token’s holder' });
    expect(entries.slice(2).map(({ action, outcome }) => `${action} ${outcome}`)).toEqual(
      Array(3).fill('audit failed'),
    );
    await audit.verify();
  });

  it('a flood of them is cut, and said so', async () => {
    const connection = await connectAs('admin');
    const flood = Array.from({ length: 5_200 }, () => ['XADD', INBOX, '*', 'note', note({})]);
    await connection.ask(flood);
    await connection.ask(flood);
    connection.close();
    const audit = auditOf(newLog(100_000));
    const { notes } = await audit.fold();
    expect(notes).toBeGreaterThan(9_000);
    const { entries } = await audit.read({ limit: 20_000, action: 'audit' });
    expect(entries.map(({ detail }) => detail)).toEqual(['its oldest 400 notes were dropped: more than 10000 waited']);
    await audit.fold();
    expect(await ask('XLEN', INBOX)).toBe(0);
  });

  it('by two at once, each note once', async () => {
    for (let index = 0; index < 20; index += 1) {
      await asHolder('XADD', INBOX, '*', 'note', note({ what: `n${String(index)}` }));
    }
    const folded = await Promise.all([auditOf(newLog()).fold(), auditOf(newLog()).fold(), auditOf(newLog()).fold()]);
    expect(folded.reduce((sum, { notes }) => sum + notes, 0)).toBe(20);
    const { entries } = await auditOf(newLog()).read({ limit: 50 });
    expect(entries.map(({ what }) => what)).toEqual(Array.from({ length: 20 }, (_, index) => `n${String(index)}`));
  });

  it('what the server refused: logins and reads, each once, and no name that may be a password', async () => {
    expect(await say(server.address, 'AUTH default wrong-password')).toContain('WRONGPASS');
    expect(await say(server.address, 'AUTH default wrong-password')).toContain('WRONGPASS');
    expect(await say(server.address, 'AUTH a-password-in-the-wrong-place x')).toContain('WRONGPASS');
    await asHolder('HGETALL', 'nexus3:locker:l_e0dd:env:web').catch(() => undefined);
    await asHolder('HGETALL', 'a-password-too').catch(() => undefined);
    await asHolder('KEYS', '*').catch(() => undefined);
    const audit = auditOf(newLog());
    expect((await audit.fold()).denied).toBe(5);
    expect((await audit.fold()).denied).toBe(0);
    const { entries } = await audit.read({ limit: 10 });
    expect(entries.map(({ action, what, outcome, who }) => [action, what, outcome, who.token])).toEqual([
      ['login', 'locker, user default', 'denied', null],
      ['login', 'locker, user of a name that Locker has not', 'denied', null],
      ['get', 'nexus3:locker:l_e0dd:env:web', 'denied', TOKEN],
      ['get', 'another key', 'denied', TOKEN],
      ['get', 'keys', 'denied', TOKEN],
    ]);
    expect(entries[0]?.detail).toMatch(/^from 127\.0\.0\.1:\d+, 2 times$/);
    // The same once more is counted up in the server's log.
    await say(server.address, 'AUTH default wrong-password');
    expect((await audit.fold()).denied).toBe(1);
    await say(server.address, 'AUTH default wrong-password');
    await Promise.all([audit.fold(), auditOf(newLog()).fold(), auditOf(newLog()).fold()]);
    expect((await audit.read({ limit: 20 })).entries).toHaveLength(7);
    await server.restart();
    await until(() => ask('PING'));
    await say(server.address, 'AUTH admin wrong-password');
    expect((await auditOf(newLog()).fold()).denied).toBe(1);
    expect(JSON.stringify((await auditOf(newLog()).read({ limit: 20 })).entries)).not.toContain('password');
    await auditOf(newLog()).verify();
  });
});

describe('the file beside the root key', () => {
  it('is only ever put forwards, and never over another truth', async () => {
    const log = newLog();
    await log.append(get('1'), get('2'), get('3'));
    await log.settled();
    const before = await readFile(headFile, 'utf8');
    // An older state is put back, and nexus3 goes on unaware.
    const stream = (await ask('XRANGE', STREAM, '1-0', '1-0')) as [string, string[]][];
    await ask('DEL', STREAM, `${STREAM}:head`);
    await ask('XADD', STREAM, '1-0', ...(stream[0]?.[1] ?? []));
    for (let index = 0; index < 5; index += 1) await log.append(get('again'));
    await log.settled();
    expect(await readFile(headFile, 'utf8')).toBe(before);
    expect(warnings.join()).toContain('does not go on from');
    expect((await failureOf(auditOf(log).verify())).evidence.join()).toContain('rewritten');
  });

  it('is closed to others, and believed only with its MAC', async () => {
    const log = newLog();
    await log.append(get('1'));
    await log.settled();
    const text = await readFile(headFile, 'utf8');
    await log.append(get('2'));
    await log.settled();
    await writeFile(headFile, text.replace(',1,', ',2,'));
    expect((await failureOf(auditOf(log).verify())).evidence.join()).toContain('does not fit its MAC');
    await writeFile(headFile, 'nonsense');
    expect((await failureOf(auditOf(log).verify())).code).toBe('AUDIT_BROKEN');
    await writeFile(headFile, text);
    expect((await auditOf(log).verify()).warnings.join()).toContain('remembers entry 1, not the last');
    await chmod(headFile, 0o600);
  });
});
