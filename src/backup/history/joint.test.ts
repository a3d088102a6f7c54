/** A vault whose disk was put back: what the archive knows, and what the vault does. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { date, failure, HistoryHarness, iso } from '../../../test/support/history-harness.js';
import { WrittenVault } from '../../../test/support/written-vault.js';

let harness: HistoryHarness;
beforeEach(async () => {
  harness = await HistoryHarness.make();
});
afterEach(() => harness[Symbol.asyncDispose]());

describe('a vault that was put back to an earlier copy of itself, and has written more than it had', () => {
  /** Archived, put back by a minute, and served from on, whichever file that went into. */
  async function putBack(vault: WrittenVault, rewrites: { before: boolean; last?: boolean; after: boolean }) {
    const first = vault.now;
    await vault.write(2);
    vault.now += 10;
    const back = await vault.copied();
    if (rewrites.before) await vault.rewrite();
    vault.now += 10;
    const lost = vault.now;
    await vault.write(5);
    vault.now += 10;
    // Then the archive ends with a file in which nothing is yet.
    if (rewrites.last === true) await vault.rewrite();
    await harness.historyOf(vault).archive('track', vault.dataDir);
    const archived = { lost, to: vault.now - 3, ids: vault.at(lost), before: vault.at(lost - 1) };
    vault.now += 30;
    await back();
    vault.now += 10;
    if (rewrites.after) await vault.rewrite();
    vault.now += 10;
    const served = vault.now;
    await vault.write(40, { pad: 100 });
    vault.now += 10;
    return { first, archived, served };
  }

  const ways = [
    { before: false, after: false },
    { before: true, after: false },
    { before: false, after: true },
    { before: true, after: true },
    { before: false, last: true, after: true },
  ];

  it.each(ways)(
    'gives back what was archived, and is believed from what it wrote since on: rewritten %o',
    async (how) => {
      await using vault = await WrittenVault.make();
      const { first, archived, served } = await putBack(vault, how);
      const history = harness.historyOf(vault);
      const proveIt = async (dataDir: string | undefined, own: 'vault' | 'archive'): Promise<void> => {
        expect(await harness.idsAt(history, dataDir, archived.lost - 1)).toEqual(archived.before);
        for (const second of [archived.lost, archived.to]) {
          expect(await harness.idsAt(history, dataDir, second)).toEqual(archived.ids);
        }
        expect(await harness.idsAt(history, dataDir, served)).toEqual(vault.at(served));
        // When it was put back is known to nobody: between, it may have been either.
        expect((await failure(history.plan('track', dataDir, date(served - 15)))).code).toBe('TIME_NOT_COVERED');
        const windows = await history.windows('track', dataDir);
        expect(windows[0]).toEqual({ from: iso(first), to: iso(archived.to), source: 'archive' });
        expect(windows.at(-1)).toMatchObject({ to: iso(vault.now - 3), source: own });
      };
      await proveIt(vault.dataDir, 'vault');
      await history.archive('track', vault.dataDir);
      await proveIt(vault.dataDir, 'vault');
      await proveIt(undefined, 'archive');
      vault.now += 10;
      await vault.write(1);
      vault.now += 10;
      await history.archive('track', vault.dataDir);
      await proveIt(vault.dataDir, 'vault');
      await proveIt(undefined, 'archive');
      expect(await history.archive('track', vault.dataDir)).toEqual({ files: 0, bytes: 0 });
    },
  );

  it('claims nothing while it has written nothing that could tell', async () => {
    await using vault = await WrittenVault.make();
    await vault.write(2);
    const back = await vault.copied();
    vault.now += 10;
    await vault.write(5);
    vault.now += 10;
    const archived = vault.at(vault.now);
    await harness.historyOf(vault).archive('track', vault.dataDir);
    const to = vault.now - 3;
    await back();
    vault.now += 20;
    const history = harness.historyOf(vault);
    expect(await history.archive('track', vault.dataDir)).toEqual({ files: 0, bytes: 0 });
    for (const dataDir of [vault.dataDir, undefined]) {
      expect(await harness.idsAt(history, dataDir, to)).toEqual(archived);
      expect(await history.windows('track', dataDir)).toMatchObject([{ to: iso(to), source: 'archive' }]);
    }
  });
});
