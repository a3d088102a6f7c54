/** Any second of the past: before a mistake, after it again, and when the vault's own disk is gone. On both runtimes. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { RestoreReport } from '../../src/reconcile/restore/report.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import type { NexusOptions } from './nexus.js';
import { freePortBlock, Nexus } from './nexus.js';

const SECOND_MS = 1_000;
const NODES = 'MATCH (n) RETURN count(n)';

export function describeRestoreAt(options: NexusOptions, hands: Hands): void {
  let nexus: Nexus;
  /** The last second in which all was well, and one in which all was gone. */
  let good: string;
  let bad: string;

  beforeAll(async () => {
    nexus = await Nexus.make({ ...options, yaml: 'backup: {}' });
    await nexus.report(0, 'up');
    await write('SET', 'kept', 'value');
    await write('GRAPH.QUERY', 'projects', 'UNWIND range(1, 20) AS i CREATE (:Project {rank: i})');
    // The bases of a rewrite hold what was before them: what comes later is found by its second all the same.
    await write('BGREWRITEAOF');
    await until(
      async () => /aof_rewrite_in_progress:0/.test(String(await write('INFO', 'persistence'))),
      'the rewrite',
    );
    await write('SET', 'last', 'good');
    // What writes more than once is a transaction in the append-only file.
    await write('EVAL', "redis.call('SET', 'left', 1) redis.call('SET', 'right', 2)", '0');
    await write('XADD', 'jobs', '1-0', 'job', 'one');
    await write('XGROUP', 'CREATE', 'jobs', 'workers', '0');
    await write('XREADGROUP', 'GROUP', 'workers', 'anna', 'STREAMS', 'jobs', '>');
    good = await endOfThisSecond();
    await write('FLUSHALL');
    await write('SET', 'junk', 'value');
    bad = await endOfThisSecond();
    await write('SET', 'later', 'value');
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  const write = (...args: readonly string[]): Promise<unknown> => nexus.admin('track', 'vault', ...args);

  /** By the vault's clock, which dates what it writes. */
  async function endOfThisSecond(): Promise<string> {
    const now = async (): Promise<number> => Number(((await write('TIME')) as readonly string[])[0]);
    const second = await now();
    await until(async () => (await now()) > second, 'the next second');
    return new Date(second * SECOND_MS).toISOString().replace('.000Z', 'Z');
  }

  async function restoredTo(at: string): Promise<RestoreReport> {
    const { code, out, err } = await nexus.run('restore', 'track', '--at', at, '--yes', '--json');
    expect(code, `${err}\n${out}`).toBe(0);
    expect(await nexus.findings('track')).toEqual(['backup-missing vault']);
    return JSON.parse(out) as RestoreReport;
  }

  async function isGood(): Promise<void> {
    for (const role of ['vault', 'operational'] as const) {
      expect(await nexus.admin('track', role, 'MGET', 'kept', 'last', 'junk', 'later')).toEqual([
        'value',
        'good',
        null,
        null,
      ]);
      expect(await nexus.admin('track', role, 'MGET', 'left', 'right')).toEqual(['1', '2']);
      const pending = await nexus.admin('track', role, 'XPENDING', 'jobs', 'workers');
      expect(pending).toEqual([1, '1-0', '1-0', [['anna', '1']]]);
      expect(JSON.stringify(await nexus.admin('track', role, 'GRAPH.RO_QUERY', 'projects', NODES))).toContain('[[20]]');
    }
  }

  it('what no history reaches is refused, and what is covered is said', async () => {
    const { code, out } = await nexus.run('restore', 'track', '--at', '2020-01-01T00:00:00Z', '--yes', '--json');
    expect(code).toBe(2);
    expect(out).toContain('TIME_NOT_COVERED');
    expect(out).toMatch(/20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ/);
    const fraction = await nexus.run('restore', 'track', '--at', '2026-01-08T12:00:07.5Z', '--yes', '--json');
    expect([fraction.code, fraction.out.includes('not rounded')]).toEqual([2, true]);
  });

  it('the second before FLUSHALL', async () => {
    const report = await restoredTo(good);
    expect(report.environments).toMatchObject([{ source: { kind: 'history', at: good }, outcome: 'restored' }]);
    await isGood();
  });

  it('and what it undid can be had again: its history was archived', async () => {
    await restoredTo(bad);
    expect(await write('MGET', 'kept', 'junk', 'later')).toEqual([null, 'value', null]);
  });

  it('beside, into a new environment', async () => {
    const beside = ['--into', 'then', '--vault-port', String(await freePortBlock(2))];
    const { code, out } = await nexus.run('restore', 'track', '--at', good, ...beside, '--yes', '--json');
    expect(code, out).toBe(0);
    expect(await nexus.admin('then', 'operational', 'GET', 'last')).toBe('good');
    expect(await write('EXISTS', 'last')).toBe(0);
    expect((await nexus.run('remove', 'then', '--yes', '--delete-data')).code).toBe(0);
  });

  it('when the vault’s disk is gone: from the archive', async () => {
    for (const role of ['operational', 'vault'] as const) await hands.takeAway(nexus, 'track', role);
    await rm(join(nexus.dataRoot, 'track'), { recursive: true });
    await restoredTo(good);
    await isGood();
  });
}
