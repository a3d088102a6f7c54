import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Barrier } from './barrier.js';

const at = (offset: number, replid = 'a') => ({ replid, offset });

describe('reading one’s own writes', () => {
  it('waits for nothing before anything was written', () => {
    expect(new Barrier().isReached(1)).toBe(true);
  });

  it('waits until the operational has come as far as the write', () => {
    const barrier = new Barrier();
    barrier.want(at(100));
    expect([barrier.isReached(1), barrier.see(at(99), 1), barrier.see(at(100), 1), barrier.isReached(1)]).toEqual([
      false,
      false,
      true,
      true,
    ]);
  });

  it('asks anew over another connection, which may lead to an older snapshot', () => {
    const barrier = new Barrier();
    barrier.want(at(100));
    barrier.see(at(100), 1);
    expect([barrier.isReached(2), barrier.see(at(50), 2), barrier.see(at(100), 2)]).toEqual([false, false, true]);
  });

  it('does not take back what a later answer of an earlier write says', () => {
    const barrier = new Barrier();
    barrier.want(at(100));
    barrier.want(at(50));
    expect([barrier.see(at(60), 1), barrier.see(at(100), 1)]).toEqual([false, true]);
  });

  it('takes either history after the vault has begun another one, until something new is written', () => {
    const [old, anew, written] = [new Barrier(), new Barrier(), new Barrier()];
    for (const barrier of [old, anew, written]) {
      barrier.want(at(100));
      barrier.continueIn(at(7, 'b'));
    }
    expect([old.see(at(100), 1), anew.see(at(7, 'b'), 1)]).toEqual([true, true]);
    written.want(at(9, 'b'));
    expect([written.see(at(100), 1), written.see(at(8, 'b'), 1), written.see(at(9, 'b'), 1)]).toEqual([
      false,
      false,
      true,
    ]);
  });

  it('does not take the history before for one that has what was written since, also where the vault was seen further on', () => {
    const barrier = new Barrier();
    barrier.want(at(100));
    // Seen over another connection, before the answer of the one that wrote.
    barrier.continueIn(at(7, 'b'));
    barrier.want(at(5, 'b'));
    expect([barrier.see(at(100), 1), barrier.see(at(7, 'b'), 1)]).toEqual([false, true]);
  });

  it('never lets a read see less than the last write, whatever was asked and seen', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('want' as const), offset: fc.nat(50) }),
      fc.record({ kind: fc.constant('see' as const), offset: fc.nat(50), epoch: fc.integer({ min: 1, max: 3 }) }),
    );
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const barrier = new Barrier();
        let wanted = 0;
        const seen = new Map<number, number>();
        for (const one of steps) {
          if (one.kind === 'want') {
            wanted = Math.max(wanted, one.offset);
            barrier.want(at(one.offset));
          } else {
            seen.set(one.epoch, Math.max(seen.get(one.epoch) ?? 0, one.offset));
            const isReached = barrier.see(at(one.offset), one.epoch);
            if (isReached && (seen.get(one.epoch) ?? 0) < wanted) return false;
          }
        }
        return true;
      }),
    );
  });
});
