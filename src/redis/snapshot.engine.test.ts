/** A snapshot of a real vault, by its own `backup` user. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { failureOf } from '../../test/support/failure.js';
import type { TestServer } from '../../test/support/redis-server.js';
import { startServer, TEST_CREDENTIALS } from '../../test/support/redis-server.js';
import type { Address } from '../protocol/redis-conf.js';
import { Secret } from '../protocol/secret.js';
import { openAdmin } from './admin.js';
import { openConnection } from './connection.js';
import { parseInfo } from './parse-info.js';
import { expectText, textOf } from './replies.js';
import { streamSnapshot } from './snapshot.js';

const APPLICATION = { user: 'default', password: TEST_CREDENTIALS.default };
const ADMIN = { user: 'admin', password: TEST_CREDENTIALS.admin };
/** Of an RDB file: the byte before its checksum. */
const END_OPCODE = 0xff;

let vault: TestServer;

beforeAll(async () => {
  await testEngine();
  vault = await startServer({ role: 'vault', kind: 'secure' });
  using writer = await openConnection(vault.address, APPLICATION);
  await writer.pipeline([
    ['SET', 'k', 'v'],
    ['GRAPH.QUERY', 'people', 'UNWIND range(1, 5000) AS n CREATE (:Person {n: n})'],
    ...Array.from({ length: 2_000 }, (_, index) => ['SET', `k${String(index)}`, 'x'.repeat(500)]),
  ]);
}, ENGINE_TIMEOUT_MS);

afterAll(() => vault[Symbol.asyncDispose]());

async function take(
  address: Address,
  password = TEST_CREDENTIALS.backup,
): Promise<{ bytes: Buffer; offset: number; id: string }> {
  await using stream = await streamSnapshot(address, password);
  const chunks: Buffer[] = [];
  for await (const chunk of stream.chunks) chunks.push(chunk);
  return { bytes: Buffer.concat(chunks), ...stream.replication };
}

async function infoOf(address: Address): Promise<ReadonlyMap<string, string>> {
  using admin = await openConnection(address, ADMIN);
  return parseInfo(expectText(await admin.send(['INFO', 'everything']), 'INFO'));
}

describe('a snapshot of a real vault', () => {
  it('is a whole RDB, says where the vault was, and leaves nothing on its disk', async () => {
    const listing = async (): Promise<string> => (await readdir(vault.dataDir, { recursive: true })).toSorted().join();
    const before = await listing();
    const { bytes, id, offset } = await take(vault.address);
    expect(bytes.subarray(0, 5).toString()).toBe('REDIS');
    expect(bytes.at(-9)).toBe(END_OPCODE);
    expect(bytes.subarray(-8).equals(Buffer.alloc(8))).toBe(false);
    const info = await infoOf(vault.address);
    expect(info.get('master_replid')).toBe(id);
    expect(Number(info.get('master_repl_offset'))).toBeGreaterThanOrEqual(offset);
    expect(await listing()).toBe(before);
    expect(await vault.log()).toContain('rdb only replica');
  });

  it('leaves no replica behind', async () => {
    await take(vault.address);
    await expect.poll(async () => (await infoOf(vault.address)).get('connected_slaves')).toBe('0');
  });

  it('is the same from a vault that saves it on its disk first', async () => {
    const first = await take(vault.address);
    await using admin = await openAdmin(vault.address, TEST_CREDENTIALS.admin);
    await admin.setConfig('repl-diskless-sync', 'no');
    try {
      const second = await take(vault.address);
      expect(second.bytes.at(-9)).toBe(END_OPCODE);
      // The same but for times and the memory in use, which the head says.
      expect(Math.abs(second.bytes.length - first.bytes.length)).toBeLessThan(64);
    } finally {
      await admin.setConfig('repl-diskless-sync', 'yes');
    }
  });

  it('is waited for while the vault is busy with another child', async () => {
    using admin = await openConnection(vault.address, ADMIN);
    await admin.send(['CONFIG', 'SET', 'rdb-key-save-delay', '500']);
    try {
      expect(textOf(await admin.send(['BGREWRITEAOF']))).toContain('started');
      const startedAt = performance.now();
      const taking = take(vault.address);
      await expect.poll(async () => (await infoOf(vault.address)).get('connected_slaves')).toBe('1');
      await admin.send(['CONFIG', 'SET', 'rdb-key-save-delay', '0']);
      expect((await taking).bytes.at(-9)).toBe(END_OPCODE);
      expect(performance.now() - startedAt).toBeGreaterThan(500);
    } finally {
      await admin.send(['CONFIG', 'SET', 'rdb-key-save-delay', '0']);
    }
  });

  it('is the backup user’s alone', async () => {
    expect(await failureOf(take(vault.address, new Secret('another')))).toMatchObject({
      code: 'REDIS_REPLY_UNEXPECTED',
    });
    using admin = await openConnection(vault.address, ADMIN);
    await admin.send(['ACL', 'SETUSER', 'backup', '-psync']);
    try {
      const failure = await failureOf(take(vault.address));
      expect(failure).toMatchObject({ code: 'BACKUP_FAILED' });
      expect(failure.evidence.join()).toContain('NOPERM');
    } finally {
      await admin.send(['ACL', 'SETUSER', 'backup', '+psync']);
    }
  });

  it('fails when the vault is killed in the middle of it', async () => {
    await using doomed = await startServer({ role: 'vault', kind: 'secure', extraLines: ['rdb-key-save-delay 1000'] });
    using writer = await openConnection(doomed.address, APPLICATION);
    await writer.pipeline(Array.from({ length: 5_000 }, (_, index) => ['SET', `k${String(index)}`, 'x'.repeat(2_000)]));
    const stream = await streamSnapshot(doomed.address, TEST_CREDENTIALS.backup);
    const reading = (async () => {
      for await (const chunk of stream.chunks) {
        expect(chunk.length).toBeGreaterThan(0);
        process.kill(doomed.pid, 'SIGKILL');
      }
    })();
    expect(await failureOf(reading)).toMatchObject({ code: 'BACKUP_FAILED' });
  });
});
