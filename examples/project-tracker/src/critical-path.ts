/** Which tasks decide when a project can be done. Pure. */

export interface Step {
  readonly id: string;
  readonly title: string;
  /** Null: nobody has estimated it. */
  readonly hours: number | null;
  /** What must be done before, as far as it is not done yet. */
  readonly blockedBy: readonly string[];
}

export interface CriticalPath {
  readonly hours: number;
  /** In the order in which they must be done. */
  readonly steps: readonly Step[];
}

/** What a task without an estimate counts as, in hours. */
export const HOURS_UNESTIMATED = 1;

interface Reached {
  readonly step: Step;
  readonly hours: number;
  readonly before: Reached | undefined;
}

/** Of all chains of tasks that must be done one after the other, the longest. Nothing blocks itself, over however many others. */
export function criticalPath(steps: readonly Step[]): CriticalPath {
  const known = new Set(steps.map(({ id }) => id));
  const reached = new Map<string, Reached>();
  let waiting = steps;
  while (waiting.length > 0) {
    const ready = waiting.filter(({ blockedBy }) => blockedBy.every((id) => reached.has(id) || !known.has(id)));
    if (ready.length === 0) throw new Error('these tasks block each other in a circle');
    for (const step of ready) {
      const before = longest(step.blockedBy.map((id) => reached.get(id)));
      reached.set(step.id, { step, hours: (before?.hours ?? 0) + (step.hours ?? HOURS_UNESTIMATED), before });
    }
    waiting = waiting.filter(({ id }) => !reached.has(id));
  }
  const last = longest([...reached.values()]);
  return { hours: last?.hours ?? 0, steps: stepsTo(last) };
}

function longest(candidates: readonly (Reached | undefined)[]): Reached | undefined {
  return candidates.reduce((best, one) => ((one?.hours ?? -1) > (best?.hours ?? -1) ? one : best), undefined);
}

function stepsTo(last: Reached | undefined): readonly Step[] {
  const steps: Step[] = [];
  for (let one = last; one !== undefined; one = one.before) steps.unshift(one.step);
  return steps;
}
