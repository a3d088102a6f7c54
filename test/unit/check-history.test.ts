import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Bounds, Final, Rule } from '../support/check-history.js';
import { checkHistory } from '../support/check-history.js';
import type { History, Outcome, Read, Shape, Write } from '../support/client-history.js';

const BOUNDS: Bounds = { readMaxMs: 100, writeMaxMs: 100, noticeMaxMs: 20, returnMaxMs: 10 };
const REGISTER = { client: 0, register: 'r', shape: 'list' as Shape, way: 'command' };

const write = (value: number, invokedMs: number, endedMs: number, outcome: Outcome = 'ok'): Write => ({
  ...REGISTER,
  ...{ type: 'write', value, invokedMs, endedMs, outcome },
});
const read = (value: number, invokedMs: number, endedMs: number): Read => ({
  ...REGISTER,
  ...{ type: 'read', value, invokedMs, endedMs, outcome: 'ok' },
});
/** It failed, and the operational had so much when it was asked. */
const notVisible = (had: Readonly<Record<string, number>>, invokedMs = 150, endedMs = 160): Read => ({
  ...failedRead(invokedMs, endedMs),
  notVisible: { had: new Map(Object.entries(had)), askedMs: endedMs + 1 },
});
const failedRead = (invokedMs: number, endedMs: number): Read => ({
  ...REGISTER,
  ...{ type: 'read', value: undefined, invokedMs, endedMs, outcome: 'failed', error: 'E' },
});

type Given = Partial<History> & {
  readonly final?: readonly number[];
  readonly others?: Readonly<Record<string, readonly number[]>>;
};

function rulesOf(calls: readonly (Write | Read)[], { final, others = {}, ...more }: Given = {}): readonly Rule[] {
  const connects = [{ client: 0, atMs: 0 }];
  const history = { clients: 1, connects, away: [], calm: [], stalls: [], ...more, calls };
  const acknowledged = calls.filter((call) => call.type === 'write' && call.outcome === 'ok');
  const values: Final = new Map([
    ['r', final ?? acknowledged.map(({ value }) => value ?? 0)],
    ...Object.entries(others),
  ]);
  return [...new Set(checkHistory(history, values, BOUNDS).map(({ rule }) => rule))];
}

const vaultAway = { role: 'vault', why: 'killed', fromMs: 100, untilMs: 200 } as const;
const operationalAway = { ...vaultAway, role: 'operational' } as const;

describe('a history that is right', () => {
  it.each<[string, readonly (Write | Read)[], Given]>([
    ['is empty', [], {}],
    ['a read of nothing', [read(0, 1, 2)], {}],
    ['a read after a write', [write(1, 1, 2), read(1, 3, 4)], {}],
    ['a read while the write is under way sees it, or not', [write(1, 1, 9), read(0, 2, 3), read(1, 4, 5)], {}],
    ['a read begun before the write was acknowledged', [write(1, 1, 5), read(0, 4, 9)], {}],
    [
      'an unknown write that was done',
      [write(1, 1, 2), write(2, 3, 4, 'unknown'), read(2, 5, 6)],
      { away: [{ ...vaultAway, fromMs: 0 }], final: [1, 2] },
    ],
    [
      'an unknown write that was not done',
      [write(1, 1, 2), write(2, 3, 4, 'unknown'), read(1, 5, 6)],
      { away: [{ ...vaultAway, fromMs: 0 }] },
    ],
    [
      'one that is seen and then not',
      [write(1, 1, 2), write(2, 3, 4, 'unknown'), read(2, 5, 6), read(1, 7, 8)],
      { away: [{ ...vaultAway, fromMs: 0 }] },
    ],
    ['a refused write while the vault is away', [write(1, 130, 131, 'refused')], { away: [vaultAway] }],
    ['a refused write in the time to come back', [write(1, 205, 206, 'refused')], { away: [vaultAway] }],
    ['a read that failed while both are away', [failedRead(150, 160)], { away: [vaultAway, operationalAway] }],
    ['a read of what the vault took with it', [write(1, 90, 98), notVisible({ r: 0 })], { away: [vaultAway] }],
    [
      'where the place that is waited for includes a write without an answer',
      [
        write(1, 90, 95),
        write(2, 96, 120, 'unknown'),
        { ...write(1, 97, 98), register: 's' },
        notVisible({ r: 1, s: 1 }),
      ],
      { away: [vaultAway], final: [1, 2], others: { s: [1] } },
    ],
    [
      'where the operational may have got it before it was asked',
      [write(1, 90, 98), notVisible({ r: 1 })],
      { away: [{ ...vaultAway, mendsMs: 160.5 }] },
    ],
    ['a slow read in a stalled process', [read(0, 0, 150)], { stalls: [{ fromMs: 10, untilMs: 100 }] }],
    ['a client at work in the calm', [write(1, 1, 2), read(1, 3, 4)], { calm: [{ fromMs: 0, untilMs: 10 }] }],
  ])('%s', (_, calls, given) => {
    expect(rulesOf(calls, given)).toEqual([]);
  });

  it('counters: whoever increments is answered each value once', () => {
    const counter = { ...REGISTER, shape: 'counter' as const };
    const calls = [write(1, 1, 2), { ...write(2, 1, 2), client: 1 }, read(2, 3, 4)].map((one) => ({
      ...one,
      ...{ shape: counter.shape },
    }));
    expect(rulesOf(calls, { clients: 2, connects: [0, 1].map((client) => ({ client, atMs: 0 })), final: [2] })).toEqual(
      [],
    );
  });
});

describe('a violation is found', () => {
  it.each<[Rule, string, readonly (Write | Read)[], Given]>([
    ['lost', 'an acknowledged write is not there', [write(1, 1, 2), write(2, 3, 4)], { final: [1] }],
    ['lost', 'one in the middle', [write(1, 1, 2), write(2, 3, 4), write(3, 5, 6)], { final: [1, 3] }],
    [
      'refused-but-done',
      'a refused write is there',
      [write(1, 130, 131, 'refused')],
      { away: [vaultAway], final: [1] },
    ],
    [
      'refused-but-done',
      'a refused write was seen',
      [write(1, 130, 131, 'refused'), read(1, 140, 141)],
      { away: [vaultAway] },
    ],
    ['done-twice', 'a write was repeated', [write(1, 1, 2)], { final: [1, 1] }],
    ['never-written', 'a value of nobody at the end', [write(1, 1, 2)], { final: [1, 7] }],
    ['never-written', 'a value of nobody is read', [read(7, 1, 2)], {}],
    ['never-written', 'a value before it is written', [read(1, 1, 2), write(1, 3, 4)], {}],
    ['stale', 'nothing is read', [write(1, 1, 2), read(0, 3, 4)], {}],
    ['stale', 'the value before is read', [write(1, 1, 2), write(2, 3, 4), read(1, 5, 6)], {}],
    ['stale', 'later once again', [write(1, 1, 2), read(1, 3, 4), write(2, 5, 6), read(2, 7, 8), read(1, 9, 10)], {}],
    ['read-failed', 'a read failed', [failedRead(1, 2)], {}],
    ['read-failed', 'while only the vault was away', [failedRead(150, 160)], { away: [vaultAway] }],
    ['read-failed', 'while only the operational was away', [failedRead(150, 160)], { away: [operationalAway] }],
    [
      'read-failed',
      'the operational has the write',
      [write(1, 90, 98), notVisible({ r: 1 })],
      { away: [{ ...vaultAway, mendsMs: 170 }] },
    ],
    ['read-failed', 'it was not asked for', [write(1, 90, 98), notVisible({})], { away: [vaultAway] }],
    [
      'read-failed',
      'nothing was acknowledged',
      [write(1, 130, 131, 'refused'), notVisible({ r: 0 })],
      { away: [vaultAway] },
    ],
    [
      'read-failed',
      'what it lacks is another client’s, and later',
      [write(1, 80, 90), { ...write(1, 92, 95), client: 1, register: 's' }, notVisible({ r: 1, s: 0 })],
      { away: [vaultAway], final: [1], others: { s: [1] } },
    ],
    [
      'read-failed',
      'what it lacks was never done',
      [
        write(1, 80, 91),
        write(2, 92, 120, 'unknown'),
        { ...write(1, 93, 94), register: 's' },
        notVisible({ r: 1, s: 1 }),
      ],
      { away: [vaultAway], final: [1], others: { s: [1] } },
    ],
    ['read-failed', 'the vault is there', [write(1, 90, 98), notVisible({ r: 0 }, 99, 100)], {}],
    ['read-failed', 'the client does not say so', [write(1, 90, 98), failedRead(150, 160)], { away: [vaultAway] }],
    [
      'read-failed',
      'one after the other',
      [failedRead(120, 180)],
      {
        away: [
          { ...vaultAway, untilMs: 140 },
          { ...operationalAway, fromMs: 160, untilMs: 190 },
        ],
      },
    ],
    ['write-failed', 'a write is refused without a reason', [write(1, 1, 2, 'refused')], { away: [operationalAway] }],
    ['write-failed', 'a write fails without a reason', [write(1, 1, 2, 'unknown')], {}],
    ['write-failed', 'later than the time to come back', [write(1, 250, 251, 'refused')], { away: [vaultAway] }],
    [
      'not-refused',
      'a write is sent to a vault known to be away',
      [write(1, 150, 160, 'unknown')],
      { away: [vaultAway] },
    ],
    ['slow', 'a slow read', [read(0, 0, 150)], {}],
    [
      'slow',
      'a slow write, the process not stalled enough',
      [write(1, 0, 150)],
      { stalls: [{ fromMs: 0, untilMs: 30 }] },
    ],
    ['restarted', 'made anew', [], { connects: [0, 5].map((atMs) => ({ client: 0, atMs })) }],
    ['stuck', 'no more reads', [write(1, 1, 2), read(1, 20, 21)], { calm: [{ fromMs: 0, untilMs: 10 }] }],
    ['malformed', 'two at once', [write(1, 1, 4), write(2, 3, 5)], {}],
    [
      'malformed',
      'one after an unknown one',
      [write(1, 105, 106, 'unknown'), write(2, 107, 108)],
      { away: [vaultAway], final: [1, 2] },
    ],
    ['malformed', 'another writer', [write(1, 1, 2), { ...write(2, 3, 4), client: 1 }], {}],
  ])('%s: %s', (rule, _, calls, given) => {
    expect(rulesOf(calls, given)).toEqual([rule]);
  });

  it.each<[Rule, readonly number[]]>([
    ['lost', [1]],
    ['done-twice', [3]],
  ])('%s: a counter of two increments is %j', (rule, final) => {
    const calls = [write(1, 1, 2), write(2, 3, 4)].map((one) => ({ ...one, shape: 'counter' as const }));
    expect(rulesOf(calls, { final })).toEqual([rule]);
  });

  it('lost: a counter answers the same to two', () => {
    const calls = [write(1, 1, 2), write(1, 3, 4)].map((one) => ({ ...one, shape: 'counter' as const }));
    expect(rulesOf(calls, { final: [2] })).toEqual(['lost']);
  });

  it('lost, refused-but-done: of a string the last value is known', () => {
    const string = (calls: readonly Write[]): readonly Write[] => calls.map((one) => ({ ...one, shape: 'string' }));
    expect(rulesOf(string([write(1, 1, 2), write(2, 3, 4)]), { final: [2] })).toEqual([]);
    expect(rulesOf(string([write(1, 1, 2), write(2, 3, 4)]), { final: [1] })).toEqual(['lost']);
    expect(rulesOf(string([write(1, 1, 2), write(2, 130, 131, 'refused')]), { away: [vaultAway], final: [2] })).toEqual(
      ['refused-but-done'],
    );
  });
});

/** A history of one register as a correct client would make it: each read sees a value between what was acknowledged and what was begun. */
const rightHistory = fc
  .array(fc.tuple(fc.constantFrom('write', 'read'), fc.nat(5), fc.integer({ min: 1, max: 5 }), fc.nat()), {
    minLength: 1,
    maxLength: 60,
  })
  .map((steps) => {
    let [now, value] = [0, 0];
    return steps.map(([type, gapMs, tookMs]) => {
      const invokedMs = (now += 1 + gapMs);
      const endedMs = (now += tookMs);
      return type === 'write' ? write((value += 1), invokedMs, endedMs) : read(value, invokedMs, endedMs);
    });
  });

describe('by property', () => {
  it('a history that is right passes', () => {
    fc.assert(
      fc.property(rightHistory, (calls) => {
        expect(rulesOf(calls)).toEqual([]);
      }),
    );
  });

  it('one read that sees less is found', () => {
    fc.assert(
      fc.property(rightHistory, fc.nat(), fc.nat(), (calls, which, less) => {
        const candidates = calls.filter((call) => call.type === 'read' && (call.value ?? 0) > 0);
        const victim = candidates[which % Math.max(1, candidates.length)];
        fc.pre(victim !== undefined);
        const planted = calls.map((call) => (call === victim ? { ...call, value: less % (call.value ?? 1) } : call));
        expect(rulesOf(planted)).toEqual(['stale']);
      }),
    );
  });

  it('one write that is lost is found', () => {
    fc.assert(
      fc.property(rightHistory, fc.nat(), (calls, which) => {
        const values = calls.filter(({ type }) => type === 'write').map(({ value }) => value ?? 0);
        fc.pre(values.length > 0);
        expect(rulesOf(calls, { final: values.filter((_, index) => index !== which % values.length) })).toEqual([
          'lost',
        ]);
      }),
    );
  });

  it('one write that was refused, and yet is there, is found', () => {
    fc.assert(
      fc.property(rightHistory, fc.nat(), (calls, which) => {
        const writes = calls.filter(({ type }) => type === 'write');
        const victim = writes[which % Math.max(1, writes.length)];
        fc.pre(victim !== undefined);
        const planted = calls.map((call) =>
          call === victim ? write(call.value ?? 0, call.invokedMs, call.endedMs, 'refused') : call,
        );
        const away = [{ ...vaultAway, fromMs: 0, untilMs: 1_000 }];
        expect(rulesOf(planted, { away, final: writes.map(({ value }) => value ?? 0) })).toEqual(['refused-but-done']);
      }),
    );
  });
});
