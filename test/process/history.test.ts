/** Any second of the past, from what real servers have written. What must be there is kept apart, by the server's clock. */
import { copyFile, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BackupSecret, type KnownSecrets } from '../../src/backup/backup-secret.js';
import type { History } from '../../src/backup/backups.js';
import { AofScanner } from '../../src/backup/history/aof-scanner.js';
import { StoredHistory } from '../../src/backup/history/history.js';
import { type AofServer, contentOf, secondAfter, startAofServer, truncateToTimestamp } from '../support/aof-server.js';
import { openSealing } from '../../src/backup/sealing.js';
import { isList } from '../../src/redis/replies.js';
import { someSecret } from '../support/backup-repository.js';
import { chance, SEED } from '../support/random.js';
import { Recorder } from '../support/recorder.js';

const MANIFEST = 'appendonly.aof.manifest';
const date = (second: number): Date => new Date(second * 1_000);

let scratch: string;
beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'nexus3-history-'));
});
afterAll(() => rm(scratch, { recursive: true, force: true }));

let folders = 0;
/** A data folder with the state of that second, to start a server on. */
async function extracted(history: History, dataDir: string | undefined, second: number): Promise<string> {
  folders += 1;
  const folder = join(scratch, `restored-${String(folders)}`);
  await mkdir(folder);
  await history.extract('track', dataDir, date(second), { folder: join(folder, 'appendonlydir'), owner: undefined });
  return folder;
}

async function load<T>(dataDir: string, look: (server: AofServer) => Promise<T>, module = false): Promise<T> {
  await using server = await startAofServer({ dataDir, module });
  return await look(server);
}

const SECRETS: KnownSecrets = { present: new BackupSecret(someSecret()), earlier: [], fault: undefined };
const backupRoot = (): string => join(scratch, 'backups');
const historyNow = (encrypt = false): History =>
  new StoredHistory({
    root: backupRoot(),
    bytesMax: 1024 ** 3,
    sealing: openSealing({ encrypt, recipients: [] }, () => Promise.resolve(SECRETS)),
    now: () => new Date(),
  });
/** The `v` of every node, in order; undefined: there is no such graph. */
async function nodesOf(server: AofServer, graph: string): Promise<readonly number[] | undefined> {
  if ((await server.send('EXISTS', graph)) === 0) return undefined;
  const reply = await server.send('GRAPH.RO_QUERY', graph, 'MATCH (n) RETURN n.v ORDER BY n.v');
  const rows = isList(reply) ? (reply[1] ?? null) : null;
  if (!isList(rows)) throw new Error('no rows');
  return rows.map((row) => (isList(row) ? Number(row[0]) : Number.NaN));
}

describe('the very second before a disaster', () => {
  let server: AofServer;
  beforeAll(async () => {
    server = await startAofServer({ module: true });
  });
  afterAll(() => server[Symbol.asyncDispose]());

  it('FLUSHALL, GRAPH.DELETE and a bad bulk update, with writes before and after in the same second', async () => {
    const history = historyNow();
    const recorder = new Recorder(server);
    const graph = async (query: string): Promise<void> => {
      await server.send('GRAPH.QUERY', 'projects', query);
    };
    for (let v = 0; v < 5; v += 1) await graph(`CREATE (:N {v: ${String(v)}})`);
    const first = await recorder.set('a', 'good');
    // Same second: before the disaster's second everything is in, of its own second too.
    const beforeUpdate = await secondAfter(server, first);
    await recorder.set('b', 'good');
    const update = await secondAfter(server, beforeUpdate);
    await recorder.set('c', 'written in the second of the update, before it');
    await graph('MATCH (n:N) SET n.v = 0');
    await recorder.set('d', 'and after it');
    const remove = await secondAfter(server, update);
    await server.send('GRAPH.DELETE', 'projects');
    await server.rewrite();
    const flush = await secondAfter(server, remove);
    await recorder.set('e', 'written in the second of the flush');
    await recorder.write([['FLUSHALL']], () => ({}));
    await recorder.set('junk', 'of the attacker');
    await secondAfter(server, flush);
    await server.send('SET', 'later', 'than that');

    const look = async (second: number): Promise<{ nodes: readonly number[] | undefined; content: unknown }> =>
      load(
        await extracted(history, server.dataDir, second),
        async (restored) => ({ nodes: await nodesOf(restored, 'projects'), content: await contentOf(restored) }),
        true,
      );
    const [good, bad] = [
      [0, 1, 2, 3, 4],
      [0, 0, 0, 0, 0],
    ];
    expect(await look(beforeUpdate)).toEqual({ nodes: good, content: recorder.at(beforeUpdate) });
    const updated = recorder.at(update);
    expect(updated).toHaveProperty('d');
    expect(await look(update)).toEqual({ nodes: bad, content: updated });
    expect(await look(remove)).toEqual({ nodes: undefined, content: updated });
    expect((await look(flush - 1)).content).toEqual(recorder.at(flush - 1));
    expect((await look(flush)).content).toEqual({ junk: 'of the attacker' });
  });
});

describe('every second of a story with rewrites, transactions, crashes and restarts', () => {
  it(`is what was written until then (seed ${String(SEED)})`, async () => {
    const random = chance(SEED);
    await using server = await startAofServer();
    const recorder = new Recorder(server);
    const history = historyNow(true);
    let written = 0;
    const write = async (): Promise<void> => {
      written += 1;
      const [key, value] = [`k${String(Math.floor(random() * 5))}`, String(written)];
      const dice = random();
      if (dice < 0.6) await recorder.set(key, value);
      else if (dice < 0.8) {
        await recorder.write([['MULTI'], ['SET', key, value], ['SET', 'pair', value], ['EXEC']], (content) => ({
          ...content,
          [key]: value,
          pair: value,
        }));
      } else if (dice < 0.9)
        await recorder.write([['DEL', key]], (content) =>
          Object.fromEntries(Object.entries(content).filter(([other]) => other !== key)),
        );
      else
        await recorder.write(
          [['EVAL', "for i=1,2 do redis.call('SET', KEYS[1], ARGV[1]) end", '1', key, value]],
          (content) => ({ ...content, [key]: value }),
        );
    };
    const seconds = 7;
    let now = await recorder.set('first', '1');
    for (let passed = 0; passed < seconds; passed += 1) {
      if (passed > 0) await history.archive('track', server.dataDir);
      for (let some = 0; some < 4; some += 1) await write();
      const dice = random();
      if (passed === 2 || dice < 0.4) await server.rewrite();
      if (passed === 3) {
        // A rewrite that never ends: it leaves an era with two files of writes.
        await server.send('BGREWRITEAOF');
        await server.kill();
        await server.restart();
      } else if (dice > 0.8) await server.restart();
      await write();
      now = await secondAfter(server, now);
    }
    await recorder.set('last', '1');
    const names = await readdir(join(server.dataDir, 'appendonlydir'));
    expect(names.filter((name) => name.includes('.incr.')).length).toBeGreaterThan(2);
    now = await secondAfter(server, now);
    await server.send('SET', 'later', 'than that');
    await history.archive('track', server.dataDir);

    // Its own folder has it all; the archive, too, once the vault's disk is lost.
    for (const dataDir of [server.dataDir, undefined]) {
      const [window, ...others] = await history.windows('track', dataDir);
      expect(others).toEqual([]);
      expect(Date.parse(window?.from ?? '') / 1_000).toBeLessThanOrEqual(recorder.seconds[0] ?? 0);
      if (dataDir === undefined) await rm(join(server.dataDir, 'appendonlydir'), { recursive: true });
      for (let second = recorder.seconds[0] ?? 0; second < now; second += 1) {
        const content = await load(await extracted(history, dataDir, second), contentOf);
        expect(content, `at ${String(second)}`).toEqual(recorder.at(second));
      }
    }
  });
});

describe('redis-check-aof --truncate-to-timestamp', () => {
  it('cuts every file at the same byte for every second', async () => {
    await using server = await startAofServer();
    const recorder = new Recorder(server);
    let now = await recorder.set('a', '1');
    for (let passed = 0; passed < 4; passed += 1) {
      await recorder.write(
        [['MULTI'], ['SET', 'a', String(passed)], ['SET', 'b', '#TS:9\r\n'], ['EXEC']],
        (content) => content,
      );
      await recorder.set(`k${String(passed)}`, '*1\r\n$4\r\nEXEC\r\n');
      if (passed === 1) await server.rewrite();
      await recorder.set('c', String(passed));
      now = await secondAfter(server, now);
    }
    await recorder.set('z', '1');
    const folder = join(server.dataDir, 'appendonlydir');
    let compared = 0;
    for (const name of (await readdir(folder)).filter((each) => each.includes('.incr.'))) {
      const bytes = await readFile(join(folder, name));
      for (const second of recorder.seconds) {
        const scanner = new AofScanner(second);
        scanner.push(bytes);
        const { end, cut } = scanner.result();
        const alone = join(scratch, `check-${name}-${String(second)}`);
        await mkdir(alone);
        await copyFile(join(folder, name), join(alone, name));
        await writeFile(join(alone, MANIFEST), `file ${name} seq 1 type i\n`);
        const output = await truncateToTimestamp(join(alone, MANIFEST), second).catch((error: unknown) =>
          String(error),
        );
        // Where nothing is to stay, the tool refuses and changes nothing; nexus3 leaves such a file out.
        const expectedBytes = cut && end === 0 ? bytes.length : end;
        expect((await stat(join(alone, name))).size, `${name} at ${String(second)}: ${output}`).toBe(expectedBytes);
        compared += 1;
      }
    }
    expect(compared).toBeGreaterThan(8);
  });
});
