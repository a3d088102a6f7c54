import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownedSpans, type RecordedBase, type RecordedWrites, type Recording, select } from './recording.js';

const open = (): Promise<never> => Promise.reject(new Error('not read here'));
const base = (next: number, from: number): RecordedBase => ({
  name: `base ${String(next)}`,
  bytes: 1,
  next,
  from,
  open,
});
const writes = (seq: number, first: number | undefined): RecordedWrites => ({
  name: `writes ${String(seq)}`,
  seq,
  bytes: 1,
  first,
  open,
});

const recording: fc.Arbitrary<Recording> = fc.record({
  source: fc.constantFrom('vault' as const, 'archive' as const),
  since: fc.integer({ min: 0, max: 5 }),
  order: fc.integer({ min: 0, max: 2 }),
  coveredTo: fc.integer({ min: 0, max: 20 }),
  bases: fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 1 }).map((all) => all.map((from) => base(1, from))),
  writes: fc.constant([]),
});

describe('of several recordings', () => {
  it('every second has the one that served then, its newest, from the vault where it can be', () => {
    fc.assert(
      fc.property(fc.array(recording, { maxLength: 6 }), (recordings) => {
        const spans = ownedSpans(recordings);
        for (let second = -1; second <= 21; second += 1) {
          const reaching = recordings.filter(
            ({ bases, coveredTo }) => (bases[0]?.from ?? Number.POSITIVE_INFINITY) <= second && second <= coveredTo,
          );
          const owners = spans.filter(({ from, to }) => from <= second && second <= to).map((span) => span.recording);
          expect(owners).toHaveLength(reaching.length === 0 ? 0 : 1);
          for (const owner of owners) {
            const rank = ({ since, source, order }: Recording): number =>
              since * 100 + Number(source === 'vault') * 10 + order;
            expect(rank(owner)).toBe(Math.max(...reaching.map(rank)));
          }
        }
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('the files of one second', () => {
  const recorded: Recording = {
    source: 'vault',
    since: 10,
    order: 0,
    coveredTo: 99,
    bases: [base(1, 10), base(3, 20)],
    writes: [writes(1, 10), writes(2, undefined), writes(3, 25), writes(4, 30)],
  };
  it.each([
    [9, undefined],
    [10, ['base 1', 'writes 1', 'writes 2']],
    [19, ['base 1', 'writes 1', 'writes 2']],
    [20, ['base 3']],
    [24, ['base 3']],
    [25, ['base 3', 'writes 3']],
    [30, ['base 3', 'writes 3', 'writes 4']],
  ])('%i', (second, names) => {
    const selection = select(recorded, second);
    expect(selection === undefined ? undefined : [selection.base, ...selection.writes].map(({ name }) => name)).toEqual(
      names,
    );
  });
});
