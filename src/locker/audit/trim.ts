/** How many of the oldest entries go. Pure. */

/** The most that one append trims: a setting that was lowered is reached step by step. */
export const TRIM_ENTRIES_MAX = 1_000;
/** A tenth goes at once, so that not every append has to trim. */
const SLACK_PART = 10;

export interface TrimQuestion {
  readonly anchorSeq: number;
  /** Before the append. */
  readonly baseSeq: number;
  /** After it. */
  readonly seq: number;
  readonly entriesMax: number;
}

/** The last entry that is to go; undefined: all fit. */
export function trimTarget({ anchorSeq, baseSeq, seq, entriesMax }: TrimQuestion): number | undefined {
  if (seq - anchorSeq <= entriesMax) return undefined;
  const kept = entriesMax - Math.min(TRIM_ENTRIES_MAX, Math.floor(entriesMax / SLACK_PART));
  const target = Math.min(seq - kept, anchorSeq + TRIM_ENTRIES_MAX, baseSeq);
  return target > anchorSeq ? target : undefined;
}
