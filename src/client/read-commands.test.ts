import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import type { TestServer } from '../../test/support/redis-server.js';
import { startServer, TEST_CREDENTIALS } from '../../test/support/redis-server.js';
import { openConnection } from '../redis/connection.js';
import { commandKind, isCheap, READS } from './read-commands.js';

/** Refused to everybody on an operational, or a graph command, which no category holds. */
const LEFT_OUT = new Set(['KEYS', 'DUMP', 'LOLWUT']);

describe('the commands that either server may answer', () => {
  let vault: TestServer;
  let commands: ReadonlyMap<string, readonly string[]>;

  beforeAll(async () => {
    await testEngine();
    vault = await startServer({ role: 'vault', kind: 'secure' });
    using admin = await openConnection(vault.address, { user: 'admin', password: TEST_CREDENTIALS.admin });
    const [reads, writes] = await admin.pipeline([
      ['COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'read'],
      ['COMMAND', 'LIST', 'FILTERBY', 'ACLCAT', 'write'],
    ]);
    const names = (reply: unknown): string[] => (reply as unknown[]).map((name) => String(name).toUpperCase());
    commands = new Map([
      ['read', names(reads)],
      ['write', names(writes)],
    ]);
  }, ENGINE_TIMEOUT_MS);

  afterAll(() => vault[Symbol.asyncDispose]());

  it('are the reads of Redis itself, and those of graphs', () => {
    const redis = (commands.get('read') ?? []).map((name) => name.split('|')[0] ?? '');
    const expected = new Set(redis.filter((name) => !LEFT_OUT.has(name)));
    expect([...READS].filter((name) => !name.startsWith('GRAPH.')).toSorted()).toEqual([...expected].toSorted());
  });

  it('are never among its writes', () => {
    const containers = new Set(['OBJECT', 'MEMORY', 'XINFO']);
    const both = (commands.get('write') ?? []).filter((name) => READS.has(name) && !containers.has(name));
    expect(both).toEqual([]);
  });

  it('are told apart from what is about one server, and from everything else, in whatever case', () => {
    expect(['get', 'GRAPH.RO_QUERY', 'xReadx'].map(commandKind)).toEqual(['read', 'read', 'other']);
    expect(['info', 'PING', 'watch'].map(commandKind)).toEqual(['own', 'own', 'own']);
    expect(['set', 'GRAPH.QUERY', 'eval', 'keys', '', 'GETEX'].map(commandKind)).toEqual(Array(6).fill('other'));
  });

  it('are asked twice rather than after a round trip where that is cheap', () => {
    expect(['GET', 'HGETALL'].every(isCheap)).toBe(true);
    expect(['GRAPH.RO_QUERY', 'graph.list', 'XREAD'].some(isCheap)).toBe(false);
  });
});
