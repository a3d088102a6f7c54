import { describe, expect, it } from 'vitest';
import type { Fault, Strike } from '../support/client-nemesis.js';
import type { History, Outcome, Read, Write } from '../support/client-history.js';
import { figuresOf, idleStrikes, tellFigures } from '../support/history-figures.js';

const REGISTER = { client: 0, register: 'r', shape: 'list', way: 'command', value: 1 } as const;
const write = (endedMs: number, outcome: Outcome = 'ok'): Write => ({
  ...REGISTER,
  ...{ type: 'write', invokedMs: endedMs - 1, endedMs, outcome },
});
const read = (endedMs: number, outcome: Read['outcome'] = 'ok'): Read => ({
  ...REGISTER,
  ...{ type: 'read', invokedMs: endedMs - 1, endedMs, outcome },
});
const historyOf = (calls: History['calls']): History => ({
  ...{ clients: 1, connects: [], away: [], calm: [], stalls: [], calls },
});
const struck = (fault: Fault): Strike => ({ fault, fromMs: 100, mendedMs: 200, untilMs: 300 });

describe('figures of a history', () => {
  it('count what was answered while something was broken, and after it', () => {
    const calls = [read(50), write(100), read(150), write(150, 'refused'), write(160, 'unknown'), read(250, 'failed')];
    const [only] = figuresOf(historyOf(calls), [struck('kill the vault')]).strikes;
    expect(only?.broken).toEqual({ reads: 1, writes: 1 });
    expect(only?.after).toEqual({ reads: 0, writes: 0 });
  });

  it('are told in one line, of each kind of fault the fewest', () => {
    const later: Strike = { ...struck('kill the vault'), fromMs: 300, mendedMs: 400, untilMs: 1_049 };
    const calls = [write(50), read(150), read(250), write(250, 'refused'), read(1_049)];
    const told = tellFigures(figuresOf(historyOf(calls), [struck('kill the vault'), later]));
    expect(told).toBe(
      '1 s; 3 reads, 0 failed; 1 writes acknowledged, 1 refused, 0 unknown; ' +
        'kill the vault ×2: at least 0 reads and 0 writes, then 0 reads and 0 writes',
    );
  });

  it.each<[string, Fault, History['calls'], readonly string[]]>([
    ['all was done', 'kill the operational', [read(150), write(150), read(250), write(250)], []],
    ['nobody can write while the vault is away', 'pause the vault', [read(150), read(250), write(250)], []],
    ['a cut is over at once', 'cut all connections to the vault', [read(250), write(250)], []],
    [
      'no read while it was away',
      'pause the vault',
      [write(150), read(250), write(250)],
      ['pause the vault: no read meanwhile'],
    ],
    [
      'no write though the vault was there',
      'kill the operational',
      [read(150), read(250), write(250)],
      ['kill the operational: no write meanwhile'],
    ],
    [
      'nothing after it',
      'refill the operational',
      [read(150), write(150)],
      ['refill the operational: no read after it', 'refill the operational: no write after it'],
    ],
  ])('%s', (_, fault, calls, idle) => {
    expect(idleStrikes(figuresOf(historyOf(calls), [struck(fault)]))).toEqual(idle);
  });
});
