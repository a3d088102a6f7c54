/** Two ways of doing the same, run in turn, and what their times say. Only ratios from one run are worth comparing. */

export interface Pair {
  readonly nexus3Ms: number;
  readonly rivalMs: number;
}

/** What the ratio is to be: how many times faster at least, or how many times as long at most. */
export type Target =
  | { readonly kind: 'times-faster'; readonly min: number }
  | { readonly kind: 'times-as-long'; readonly max: number }
  /** Measured for what it tells; nothing was promised. */
  | { readonly kind: 'none' };

export interface Contest {
  /** `check-docker-12` */
  readonly name: string;
  readonly nexus3: string;
  readonly rival: string;
  readonly target: Target;
}

export interface Comparison extends Contest {
  readonly pairs: readonly Pair[];
  readonly nexus3MedianMs: number;
  readonly rivalMedianMs: number;
  /** Median over the pairs of rival's time by nexus3's for `times-faster`, the other way round for `times-as-long`. */
  readonly ratio: number;
  readonly ratioLowest: number;
  readonly ratioHighest: number;
  /** Undefined where there is no target. */
  readonly met: boolean | undefined;
}

/** What has no rival but a bound, or is only told: memory, requests. */
export interface Measure {
  /** `backup-memory` */
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  /** Each of the rounds. */
  readonly values: readonly number[];
  /** The median where there are rounds. */
  readonly median: number;
  readonly highest: number;
  /** No value may be above it. Undefined: nothing was promised. */
  readonly max?: number;
  readonly met: boolean | undefined;
}

export function measured(measure: Pick<Measure, 'name' | 'what' | 'unit' | 'values' | 'max'>): Measure {
  const highest = Math.max(...measure.values);
  const met = measure.max === undefined ? undefined : highest <= measure.max;
  return { ...measure, median: median(measure.values), highest, met };
}

/** What a bench found. */
export interface Findings {
  readonly comparisons: readonly Comparison[];
  readonly measures: readonly Measure[];
}

/** Resolves with milliseconds; rejects when what was done was not what had to be done. */
export type Contestant = () => Promise<number>;

export interface Rounds {
  readonly warmUps: number;
  readonly pairs: number;
}

/** A B A B …, so that what else the machine does meets both alike; warm-ups fill file caches and are not counted. */
export async function alternate(nexus3: Contestant, rival: Contestant, rounds: Rounds): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (let round = 0; round < rounds.warmUps + rounds.pairs; round += 1) {
    const nexus3Ms = await nexus3();
    const rivalMs = await rival();
    if (round >= rounds.warmUps) pairs.push({ nexus3Ms, rivalMs });
  }
  return pairs;
}

export function judge(contest: Contest, pairs: readonly Pair[]): Comparison {
  const { target } = contest;
  const ratios = pairs.map(({ nexus3Ms, rivalMs }) =>
    target.kind === 'times-as-long' ? nexus3Ms / rivalMs : rivalMs / nexus3Ms,
  );
  const ratio = median(ratios);
  return {
    ...contest,
    pairs,
    nexus3MedianMs: median(pairs.map(({ nexus3Ms }) => nexus3Ms)),
    rivalMedianMs: median(pairs.map(({ rivalMs }) => rivalMs)),
    ratio,
    ratioLowest: Math.min(...ratios),
    ratioHighest: Math.max(...ratios),
    met: isMet(target, ratio),
  };
}

function isMet(target: Target, ratio: number): boolean | undefined {
  if (target.kind === 'none') return undefined;
  return target.kind === 'times-faster' ? ratio >= target.min : ratio < target.max;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const [upper = Number.NaN, lower = Number.NaN] = [sorted[middle], sorted[middle - 1]];
  return sorted.length % 2 === 1 ? upper : (lower + upper) / 2;
}
