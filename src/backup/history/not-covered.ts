/** What can be said to one who asks for a second that is not to be had. */
import { Nexus3Error } from '../../errors.js';
import { iso, writtenBy } from './seconds.js';

/** Lines of evidence; the newest stretches count. */
const SPANS_SHOWN_MAX = 12;

export interface Covered {
  readonly from: number;
  readonly to: number;
  readonly source: 'vault' | 'archive';
}

/** @param covered oldest first @param notes what else stands in the way, a line each */
export function notCovered(
  env: string,
  at: number,
  covered: readonly Covered[],
  { now, notes }: { readonly now: Date; readonly notes: readonly string[] },
): Nexus3Error {
  const shown = covered.slice(-SPANS_SHOWN_MAX);
  const left = covered.length - shown.length;
  return new Nexus3Error(
    'TIME_NOT_COVERED',
    `${env} cannot be had as it was at ${iso(at)}: ${why(at, covered, now)}.`,
    {
      evidence: [
        ...(covered.length === 0 ? ['nothing is covered'] : []),
        ...(left > 0 ? [`${String(left)} earlier stretches`] : []),
        ...shown.map(({ from, to, source }) => `covered by the ${source}: ${iso(from)} to ${iso(to)}`),
        ...notes,
      ],
      hint: hint(env, at, covered, now),
    },
  );
}

function why(at: number, covered: readonly Covered[], now: Date): string {
  if (at * 1_000 > now.getTime()) return 'that second has not come yet';
  if (at > writtenBy(now) && covered.at(-1)?.source === 'vault') return 'its last writes may not be in the file yet';
  const last = covered.at(-1)?.to;
  if (last !== undefined && at > last) return 'what was written then is in no file that is here';
  return covered.length === 0 ? 'no history of it is here' : 'that second is not covered';
}

function hint(env: string, at: number, covered: readonly Covered[], now: Date): string {
  const nearest = covered.findLast(({ from }) => from <= at) ?? covered[0];
  if (nearest === undefined) {
    return `Restore a backup instead (nexus3 backup list ${env}). History is kept where nexus3.yaml has \`backup:\`.`;
  }
  if (at * 1_000 <= now.getTime() && at > writtenBy(now) && nearest.source === 'vault')
    return 'Ask again in a few seconds.';
  const closest = at < nearest.from ? nearest.from : Math.min(at, nearest.to);
  return `The nearest that can be had is --at ${iso(closest)}; or restore a backup: nexus3 backup list ${env}`;
}
