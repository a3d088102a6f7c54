/** What a history is made of, in figures: that a run was green says little where nothing was asked, or nothing was broken. Pure. */
import type { History } from './client-history.js';
import type { Strike } from './client-nemesis.js';

/** Of calls that were answered. */
export interface Answered {
  readonly reads: number;
  readonly writes: number;
}

export interface StrikeFigures {
  readonly strike: Strike;
  /** Ended while it was broken, until it was seen to answer again. */
  readonly broken: Answered;
  /** And from then on, until it was left alone for long enough. */
  readonly after: Answered;
}

export interface Figures {
  readonly seconds: number;
  readonly reads: number;
  readonly readsFailed: number;
  /** Acknowledged ones. */
  readonly writes: number;
  readonly writesRefused: number;
  readonly writesUnknown: number;
  readonly strikes: readonly StrikeFigures[];
}

export function figuresOf({ calls }: History, strikes: readonly Strike[]): Figures {
  const count = (type: 'read' | 'write', outcome: string): number =>
    calls.filter((call) => call.type === type && call.outcome === outcome).length;
  const within = (fromMs: number, untilMs: number): Answered => {
    const some = calls.filter((call) => call.outcome === 'ok' && call.endedMs >= fromMs && call.endedMs < untilMs);
    const reads = some.filter(({ type }) => type === 'read').length;
    return { reads, writes: some.length - reads };
  };
  const [fromMs, untilMs] = calls.reduce(
    ([from, until], call) => [Math.min(from, call.invokedMs), Math.max(until, call.endedMs)],
    [Infinity, -Infinity],
  );
  return {
    seconds: calls.length === 0 ? 0 : (untilMs - fromMs) / 1_000,
    reads: count('read', 'ok'),
    readsFailed: count('read', 'failed'),
    writes: count('write', 'ok'),
    writesRefused: count('write', 'refused'),
    writesUnknown: count('write', 'unknown'),
    strikes: strikes.map((strike) => ({
      strike,
      broken: within(strike.fromMs, strike.mendedMs),
      after: within(strike.mendedMs, strike.untilMs),
    })),
  };
}

/** One line; of each kind of fault the fewest, because the most may hide a time in which nothing was done. */
export function tellFigures({ strikes, ...all }: Figures): string {
  const kinds = [...new Set(strikes.map(({ strike }) => strike.fault))].toSorted();
  return [
    `${all.seconds.toFixed(0)} s`,
    `${String(all.reads)} reads, ${String(all.readsFailed)} failed`,
    `${String(all.writes)} writes acknowledged, ${String(all.writesRefused)} refused, ${String(all.writesUnknown)} unknown`,
    ...kinds.map((kind) => {
      const some = strikes.filter(({ strike }) => strike.fault === kind);
      const fewest = (of: 'broken' | 'after'): string => {
        const [reads, writes] = (['reads', 'writes'] as const).map((type) =>
          Math.min(...some.map((one) => one[of][type])),
        );
        return `${String(reads)} reads and ${String(writes)} writes`;
      };
      return `${kind} ×${String(some.length)}: at least ${fewest('broken')}, then ${fewest('after')}`;
    }),
  ].join('; ');
}

/** Where nothing was done though somebody was there to do it. A cut is over too soon to say so of it. */
export function idleStrikes({ strikes }: Figures): readonly string[] {
  return strikes.flatMap(({ strike, broken, after }) => {
    const { fault } = strike;
    const isHeld = fault.startsWith('kill') || fault.startsWith('pause');
    const isVaultThere = !fault.endsWith('the vault');
    return [
      ...(isHeld && broken.reads === 0 ? [`${fault}: no read meanwhile`] : []),
      ...(isHeld && isVaultThere && broken.writes === 0 ? [`${fault}: no write meanwhile`] : []),
      ...(after.reads === 0 ? [`${fault}: no read after it`] : []),
      ...(after.writes === 0 ? [`${fault}: no write after it`] : []),
    ];
  });
}
