/** History as the rest of nexus3 sees it, on a real disk: which second comes from where, and what is kept. */
import { open, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { date, failure, HistoryHarness, iso } from '../../../test/support/history-harness.js';
import { WrittenVault } from '../../../test/support/written-vault.js';

let harness: HistoryHarness;
beforeEach(async () => {
  harness = await HistoryHarness.make();
});
afterEach(() => harness[Symbol.asyncDispose]());

describe('what is asked for', () => {
  it('is refused in words where it is not covered', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    const first = vault.now;
    await vault.write(1);
    vault.now += 60;
    const refusedAt = async (second: number): Promise<readonly string[]> => {
      const { code, message, evidence, hint } = await failure(history.plan('track', vault.dataDir, date(second)));
      expect(code).toBe('TIME_NOT_COVERED');
      return [message, ...evidence, hint];
    };
    const span = `covered by the vault: ${iso(first)} to ${iso(vault.now - 3)}`;
    expect(await refusedAt(first - 1)).toEqual([
      `track cannot be had as it was at ${iso(first - 1)}: that second is not covered.`,
      span,
      `The nearest that can be had is --at ${iso(first)}; or restore a backup: nexus3 backup list track`,
    ]);
    expect(await refusedAt(vault.now + 1)).toEqual([
      `track cannot be had as it was at ${iso(vault.now + 1)}: that second has not come yet.`,
      span,
      `The nearest that can be had is --at ${iso(vault.now - 3)}; or restore a backup: nexus3 backup list track`,
    ]);
    expect((await refusedAt(vault.now))[0]).toMatch(/may not be in the file yet/);
    expect(await failure(harness.historyOf(vault).plan('web', undefined, date(first)))).toMatchObject({
      code: 'TIME_NOT_COVERED',
      evidence: ['nothing is covered'],
    });
    await expect(history.plan('track', vault.dataDir, new Date(first * 1_000 + 7))).rejects.toThrow(RangeError);
  });

  it('may be a second that has only just passed, once something later is in the file', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    await vault.write(2);
    vault.now += 1;
    expect((await failure(history.plan('track', vault.dataDir, date(vault.now - 1)))).code).toBe('TIME_NOT_COVERED');
    await vault.write(2);
    expect(await harness.idsAt(history, vault.dataDir, vault.now - 1)).toEqual([1, 2]);
  });

  it('comes from the vault’s own folder where that reaches, else from the archive', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    const first = vault.now;
    await vault.write(1);
    vault.now += 5;
    await vault.rewrite();
    const base = vault.now;
    vault.now += 5;
    await history.archive('track', vault.dataDir);
    await vault.forgetHistory();
    expect(await history.windows('track', vault.dataDir)).toEqual([
      { from: iso(first), to: iso(base), source: 'archive' },
      { from: iso(base + 1), to: iso(vault.now - 3), source: 'vault' },
    ]);
    expect((await history.plan('track', vault.dataDir, date(base))).source).toBe('archive');
    expect(await history.plan('track', vault.dataDir, date(base + 1))).toMatchObject({
      at: iso(base + 1),
      source: 'vault',
      description: 'appendonly.aof.2.base.rdb and 1 file of writes',
    });
  });

  it('is what the vault that served then held, through restores', async () => {
    await using before = await WrittenVault.make();
    const first = before.now;
    await before.write(3);
    before.now += 20;
    await before.write(3);
    before.now += 5;
    await harness.historyOf(before).archive('track', before.dataDir);
    // Restored to its first writes, and served from on; its base is older than that.
    const since = before.now + 10;
    await using after = await WrittenVault.make({
      incarnation: 'bb'.repeat(16),
      now: first + 1,
      since,
      before: before.at(first),
    });
    after.now = since;
    await after.write(1);
    after.now += 20;
    const history = harness.historyOf(after);
    expect(await history.windows('track', after.dataDir)).toEqual([
      { from: iso(first), to: iso(before.now - 3), source: 'archive' },
      { from: iso(since), to: iso(after.now - 3), source: 'vault' },
    ]);
    for (const second of [first, first + 19, first + 20, before.now - 3]) {
      expect(await harness.idsAt(history, after.dataDir, second)).toEqual(before.at(second));
    }
    for (const second of [since, after.now - 3])
      expect(await harness.idsAt(history, after.dataDir, second)).toEqual(after.at(second));
    expect((await failure(history.plan('track', after.dataDir, date(since - 1)))).code).toBe('TIME_NOT_COVERED');
    await history.archive('track', after.dataDir);
    expect(JSON.parse(await readFile(join(harness.archiveFolder(before), 'index.json'), 'utf8'))).toMatchObject({
      closed: true,
    });
    expect(await harness.idsAt(history, undefined, after.now - 3)).toEqual(after.at(after.now));
  });

  it('never writes into a folder that is there', async () => {
    await using vault = await WrittenVault.make();
    vault.now += 10;
    const refused = await failure(
      harness
        .historyOf(vault)
        .extract('track', vault.dataDir, date(vault.now - 5), { folder: harness.root, owner: undefined }),
    );
    expect(refused.code).toBe('FILE_NOT_WRITABLE');
    expect((await stat(harness.root)).isDirectory()).toBe(true);
  });
});

it('what the vault’s disk does not give any more comes from the archive, where that has it', async () => {
  await using vault = await WrittenVault.make();
  const history = harness.historyOf(vault);
  for (let round = 0; round < 3; round += 1) {
    await vault.write(1, { pad: 200_000 });
    vault.now += 5;
  }
  await history.archive('track', vault.dataDir);
  const archived = vault.now - 3;
  const file = await open(vault.newest, 'r+');
  await file.write(Buffer.alloc(9_000), 0, 9_000, 200_000);
  await file.close();
  vault.now += 10;
  expect((await history.plan('track', vault.dataDir, date(archived))).source).toBe('vault');
  expect(await harness.idsAt(history, vault.dataDir, archived)).toEqual(vault.at(archived));
  expect((await failure(harness.idsAt(history, vault.dataDir, vault.now - 3))).code).toBe('BACKUP_DAMAGED');
});

describe('history that takes too much room', () => {
  it('loses its oldest eras, in the vault’s folder and in the archive, and nothing that is still of use', async () => {
    await using vault = await WrittenVault.make();
    const all = harness.historyOf(vault);
    const bases: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await vault.write(1, { pad: 10_000 });
      vault.now += 5;
      await vault.rewrite();
      bases.push(vault.now);
    }
    vault.now += 10;
    await all.archive('track', vault.dataDir);
    const small = harness.historyOf(vault, { bytesMax: 25_000 });
    const removed = await small.prune('track', vault.dataDir);
    // Two eras of 10 kB and more each are left in both; in the archive also the present one.
    expect(removed.files).toBe(6 + 6);
    expect(await small.prune('track', vault.dataDir)).toEqual({ files: 0, bytes: 0 });
    const from = (bases[2] ?? 0) + 1;
    expect(await small.windows('track', vault.dataDir)).toEqual([
      { from: iso(from), to: iso(vault.now - 3), source: 'vault' },
    ]);
    expect(await small.windows('track', undefined)).toEqual([
      { from: iso(from), to: iso(vault.now - 3), source: 'archive' },
    ]);
    // What was pruned is not archived again.
    expect(await all.archive('track', vault.dataDir)).toEqual({ files: 0, bytes: 0 });
    for (const dataDir of [vault.dataDir, undefined])
      expect(await harness.idsAt(small, dataDir, from)).toEqual(vault.at(from));
    const none = harness.historyOf(vault, { bytesMax: 0 });
    await none.prune('track', vault.dataDir);
    expect((await readdir(vault.folder)).sort()).toEqual([
      'appendonly.aof.6.base.rdb',
      'appendonly.aof.6.incr.aof',
      'appendonly.aof.manifest',
    ]);
    expect(await none.windows('track', undefined)).toHaveLength(1);
  });

  it('goes first from vaults that serve no more', async () => {
    await using before = await WrittenVault.make();
    await before.write(1, { pad: 10_000 });
    before.now += 10;
    await harness.historyOf(before).archive('track', before.dataDir);
    await using after = await WrittenVault.make({ incarnation: 'bb'.repeat(16), now: before.now });
    await after.write(1, { pad: 10_000 });
    after.now += 10;
    const history = harness.historyOf(after, { bytesMax: 15_000 });
    await history.archive('track', after.dataDir);
    await history.prune('track', after.dataDir);
    expect(await readdir(join(harness.root, 'track', 'history'))).toEqual([after.incarnation]);
  });

  it('does not come back into the archive from a vault that still has it', async () => {
    await using vault = await WrittenVault.make();
    for (let round = 0; round < 4; round += 1) {
      await vault.write(1, { pad: 10_000 });
      await vault.rewrite();
    }
    await vault.write(2, { pad: 100 });
    vault.now += 10;
    await harness.historyOf(vault).archive('track', vault.dataDir);
    await harness.historyOf(vault, { bytesMax: 15_000 }).prune('track', undefined);
    // So that it cannot go on from what is archived, and must begin a new stretch.
    await vault.lose(1);
    vault.now += 1;
    await vault.write(5, { pad: 100 });
    vault.now += 10;
    const { bytes } = await harness.historyOf(vault).archive('track', vault.dataDir);
    expect(bytes).toBeLessThan(5_000);
    expect(await harness.idsAt(harness.historyOf(vault), undefined, vault.now - 3)).toEqual(vault.at(vault.now));
  });

  it('is not copied only to be removed again', async () => {
    await using vault = await WrittenVault.make();
    for (let round = 0; round < 4; round += 1) {
      await vault.write(1, { pad: 10_000 });
      await vault.rewrite();
    }
    vault.now += 10;
    const { bytes } = await harness.historyOf(vault, { bytesMax: 15_000 }).archive('track', vault.dataDir);
    expect(bytes).toBeLessThan(15_000);
  });
});
