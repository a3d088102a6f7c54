/** `locker rekey`: killed at any instant, run twice at once, and read from all the while. */
import { readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostAddress } from '../../src/reconcile/access.js';
import { deriveKeyEncryptionKey, deriveOwnCredentials } from '../../src/locker/derive.js';
import { DataKey } from '../../src/locker/envelope.js';
import { placeOfKey } from '../../src/locker/keys.js';
import { parseRootKey, RootKey } from '../../src/locker/root-key.js';
import type { Report } from '../../src/reconcile/report.js';
import { openConnection } from '../../src/redis/connection.js';
import { runCommand } from '../support/command.js';
import { codesOf, findingOf, Nexus } from '../support/nexus.js';
import { chance, instant, rounds, SEED } from '../support/random.js';

const KILLS_IN_CI = 4;
const KILLS_IN_SOAK = 100;
const MINUTE_MS = 60_000;

let nexus: Nexus;
let password: string;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard', user: 'secure' } });
  await nexus.report(0, 'up');
  password = await nexus.password('track');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

const keyFile = (): string => join(nexus.root, 'root.key');

/** Of the root key; what the audit remembers beside it is none of them. */
async function keyFiles(): Promise<readonly string[]> {
  const names = await readdir(nexus.root);
  return names.filter((name) => name.startsWith('root.key') && !name.includes('audit-head')).toSorted();
}

async function rootKey(): Promise<RootKey> {
  const key = parseRootKey(await readFile(keyFile(), 'utf8'));
  if (key instanceof RootKey) return key;
  throw new Error(key);
}

/** What somebody can do who has kept a copy of the old file. */
async function opensNothing(old: RootKey, where: string): Promise<void> {
  const address = hostAddress(await nexus.spec('locker', 'vault'));
  const own = deriveOwnCredentials(old);
  for (const user of ['default', 'admin', 'backup'] as const) {
    const login = openConnection(address, { user, password: own[user] });
    await expect(login, `${where}: ${user}`).rejects.toMatchObject({ code: 'REDIS_REPLY_UNEXPECTED' });
  }
  const keyEncryptionKey = deriveKeyEncryptionKey(old);
  for (const key of (await nexus.admin('locker', 'vault', 'KEYS', 'nexus3:locker:*')) as readonly string[]) {
    const place = placeOfKey(key);
    if (place === undefined) continue;
    const wrapped = (await nexus.admin('locker', 'vault', 'HMGET', key, 'data-key', 'data-key-next')) as unknown[];
    expect(wrapped[1], `${where}: ${key}`).toBeNull();
    expect(DataKey.unwrap(keyEncryptionKey, place, String(wrapped[0])), `${where}: ${key}`).toBeUndefined();
  }
}

/** Complete, and only the new key is left. */
async function isDone(before: RootKey, where: string): Promise<void> {
  expect(await keyFiles(), where).toEqual(['root.key']);
  expect((await stat(keyFile())).mode & 0o777, where).toBe(0o600);
  expect((await rootKey()).equals(before), where).toBe(false);
  await opensNothing(before, where);
  expect(await nexus.password('track'), where).toBe(password);
  const report = await nexus.report(0, 'check');
  for (const env of ['locker', 'track', 'user']) expect(codesOf(report, env), `${where}: ${env}`).toEqual([]);
}

describe('locker rekey', () => {
  it('changes the key; passwords, environments and replication do not notice', async () => {
    const before = await rootKey();
    const { code, out, err } = await nexus.run('locker', 'rekey', '--json');
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      schema: 'nexus3.rekey/1',
      ok: true,
      resumed: false,
      rootKeyFile: keyFile(),
    });
    await isDone(before, 'undisturbed');
  });

  it('is refused while Locker’s own passwords are being rotated', async () => {
    const key = await rootKey();
    await writeFile(keyFile(), key.withGenerations(1, 2).toText());
    const { code, err } = await nexus.run('locker', 'rekey');
    await writeFile(keyFile(), key.toText());
    expect(code).toBe(1);
    expect(err).toContain('nexus3 rotate locker');
    expect(await keyFiles()).toEqual(['root.key']);
  });

  it(
    'killed at any instant: either key opens as it should, and run again it completes that one',
    async () => {
      const kills = rounds(KILLS_IN_CI, KILLS_IN_SOAK);
      const random = chance(SEED);
      const usual = await runCommand(nexus, ['locker', 'rekey']);
      expect(usual.code, usual.output).toBe(0);
      let cut = 0;
      for (let kill = 0; kill < kills; kill += 1) {
        const before = await rootKey();
        // The first part of a command is Node starting.
        const afterMs = Math.floor(instant(random, kill, kills, 0.25) * usual.ms);
        const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usual.ms.toFixed(0)} ms`;
        const killed = await runCommand(nexus, ['locker', 'rekey'], afterMs);
        expect(await nexus.password('track'), where).toBe(password);
        const files = await keyFiles();
        const seen = await nexus.run('check', '--json');
        expect(seen.code, `${where}\n${seen.out}`).toBe(0);
        const report = JSON.parse(seen.out) as Report;
        const unfinished = files.includes('root.key.next') || files.includes('root.key.previous');
        expect(codesOf(report, 'locker'), `${where}: ${files.join(' ')}`).toEqual(
          unfinished ? ['rekey-unfinished vault'] : [],
        );
        if (unfinished) {
          cut += 1;
          expect(findingOf(report, 'locker', 'rekey-unfinished').remedy).toContain('nexus3 locker rekey');
        }
        const next = unfinished && files.includes('root.key.next') ? await readFile(`${keyFile()}.next`, 'utf8') : null;
        const committed = await readFile(keyFile(), 'utf8');
        if (killed.code !== 0 && (unfinished || (await rootKey()).equals(before))) {
          const again = await runCommand(nexus, ['locker', 'rekey', '--json']);
          expect(again.code, `${where}\n${again.output}`).toBe(0);
          // That one, not another.
          const after = await readFile(keyFile(), 'utf8');
          if (next !== null) expect(after, where).toBe(next);
          else if (unfinished) expect(after, where).toBe(committed);
        }
        await isDone(before, where);
      }
      process.stderr.write(`rekey: ${String(cut)} of ${String(kills)} kills left something to finish\n`);
    },
    rounds(KILLS_IN_CI, KILLS_IN_SOAK) * MINUTE_MS,
  );

  it('two at once: both end well, one after the other', async () => {
    const before = await rootKey();
    const both = await Promise.all([runCommand(nexus, ['locker', 'rekey']), runCommand(nexus, ['locker', 'rekey'])]);
    expect(
      both.map(({ code }) => code),
      both.map(({ output }) => output).join('\n'),
    ).toEqual([0, 0]);
    await isDone(before, 'two at once');
  });

  it('a long-running holder of the old key reads all the while and is never refused; what it adds is under the new one', async () => {
    const before = await rootKey();
    await using world = await nexus.world();
    const locker = await world.locker.open();
    let reads = 0;
    const stop = new AbortController();
    const reading = (async () => {
      while (!stop.signal.aborted) {
        expect((await world.locker.getCredential('track', 'default')).reveal()).toBe(password);
        reads += 1;
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    const adding = (async () => {
      let added = 0;
      for (; !stop.signal.aborted && added < 500; added += 1) {
        await locker.generate(`added-${String(added)}`, ['default'], new Date());
      }
      return added;
    })();
    const { code, output } = await runCommand(nexus, ['locker', 'rekey']);
    stop.abort();
    await reading;
    const added = await adding;
    expect(code, output).toBe(0);
    expect(reads).toBeGreaterThan(10);
    expect(added).toBeGreaterThan(0);
    await isDone(before, `${String(reads)} reads`);
    await using fresh = await nexus.world();
    const names = Array.from({ length: added }, (_, index) => `added-${String(index)}`);
    expect((await (await fresh.locker.open()).read(names)).size).toBe(added);
    for (const name of names) await (await fresh.locker.open()).remove(name);
  });
});
