/** Whatever happens to a vault and its archive, on a real disk. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HistoryHarness, iso } from '../../../test/support/history-harness.js';
import { rounds } from '../../../test/support/random.js';
import { WrittenVault } from '../../../test/support/written-vault.js';
import type { StoredHistory } from './history.js';

let harness: HistoryHarness;
beforeEach(async () => {
  harness = await HistoryHarness.make();
});
afterEach(() => harness[Symbol.asyncDispose]());

describe('whatever happens to a vault and its archive', () => {
  type Op =
    | { readonly kind: 'wait' | 'rewrite' | 'failed-rewrite' | 'archive' | 'forget' | 'prune' }
    | { readonly kind: 'write'; readonly commands: number; readonly transaction: boolean }
    | { readonly kind: 'interrupted'; readonly after: number };
  const op: fc.Arbitrary<Op> = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('write' as const),
        commands: fc.integer({ min: 1, max: 3 }),
        transaction: fc.boolean(),
      }),
    },
    { weight: 4, arbitrary: fc.constant({ kind: 'wait' as const }) },
    { weight: 2, arbitrary: fc.constantFrom('rewrite' as const, 'failed-rewrite' as const).map((kind) => ({ kind })) },
    { weight: 2, arbitrary: fc.constant({ kind: 'archive' as const }) },
    { weight: 1, arbitrary: fc.constantFrom('forget' as const, 'prune' as const).map((kind) => ({ kind })) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('interrupted' as const), after: fc.nat({ max: 4 }) }) },
  );

  it('every second that is said to be covered is as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(op, { minLength: 4, maxLength: 25 }), fc.nat(), async (ops, some) => {
        await using vault = await WrittenVault.make();
        await rm(join(harness.root, 'track'), { recursive: true, force: true });
        const history = harness.historyOf(vault, { bytesMax: 2_000 });
        for (const each of ops) await perform(vault, history, each);
        for (const dataDir of [vault.dataDir, undefined]) {
          for (const { from, to } of await history.windows('track', dataDir)) {
            const [first, last] = [Date.parse(from) / 1_000, Date.parse(to) / 1_000];
            for (const second of new Set([first, last, first + (some % (last - first + 1))])) {
              expect(await harness.idsAt(history, dataDir, second), iso(second)).toEqual(vault.at(second));
            }
          }
        }
      }),
      { numRuns: rounds(15, 400) },
    );
  }, 600_000);

  async function perform(vault: WrittenVault, history: StoredHistory, each: Op): Promise<void> {
    switch (each.kind) {
      case 'wait':
        vault.now += 1;
        break;
      case 'write':
        await vault.write(each.commands, { transaction: each.transaction });
        break;
      case 'rewrite':
        await vault.rewrite();
        break;
      case 'failed-rewrite':
        await vault.failedRewrite();
        break;
      case 'archive':
        await history.archive('track', vault.dataDir);
        break;
      case 'forget':
        await vault.forgetHistory();
        break;
      case 'prune':
        await history.prune('track', vault.dataDir);
        break;
      case 'interrupted': {
        let left = each.after;
        const interrupt = (): void => {
          left -= 1;
          if (left < 0) throw new Error('interrupted');
        };
        await history.archive('track', vault.dataDir, interrupt).catch(() => undefined);
      }
    }
  }
});
