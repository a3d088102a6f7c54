/** The one loop: observe, diagnose, plan, apply, prove. `check`, `up` and `create` are this with different licences. */
import { mapBounded } from '../concurrency.js';
import { Nexus3Error } from '../errors.js';
import type { ConfiguredEnvironment } from '../config/configuration.js';
import type { Progress } from '../progress.js';
import type { Plan, PlannedAction } from './action.js';
import type { Failure } from './apply.js';
import { apply } from './apply.js';
import { confirmed, diagnose, needsConfirmation } from './diagnose.js';
import type { FindingCode } from './finding.js';
import { isLocker } from './desired.js';
import type { Observation } from './observe.js';
import { observe } from './observe.js';
import type { Diagnosed } from './plan.js';
import { environmentOf, planRepairs } from './plan.js';
import { proveWriteAndRead } from './wait.js';
import type { World } from './world.js';

/** Between the two looks that a role or a link takes to be believed: more than a replica needs to reconnect. */
const CONFIRM_AFTER_MS = 1_300;
/** After the actions: how long the world may take to become what was planned, and how often it is looked at. */
const SETTLE_MS = 15_000;
const SETTLE_POLL_MS = 250;
/** Repairs can uncover what could not be seen before (with Locker down, nothing behind it); so often it goes round. */
const ROUNDS_MAX = 3;
/** How many environments are proven at once. */
const PROOF_CONCURRENCY_MAX = 8;

const NOTHING: Plan = { id: undefined, actions: [] };

export interface Look {
  readonly diagnosed: readonly Diagnosed[];
  readonly lockerError: Observation['lockerError'];
}

export interface LoopOptions {
  /** What may be repaired; undefined: everything that is fixable. */
  readonly licence?: ReadonlySet<FindingCode>;
  /** Only this plan, or nothing. */
  readonly planId?: string | undefined;
  readonly mayCreateRootKey?: boolean;
  /** Ends it between two actions. */
  readonly signal?: AbortSignal | undefined;
}

export interface LoopResult {
  readonly before: Look;
  readonly after: Look;
  readonly plan: Plan;
  readonly done: readonly PlannedAction[];
  readonly failures: readonly Failure[];
}

/** Two observations where a role or a link needs them, one otherwise. */
export async function look(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  options: LoopOptions = {},
): Promise<Look> {
  const mayCreateRootKey = options.mayCreateRootKey === true;
  const first = await observe(world, environments, { mayCreateRootKey });
  const diagnosed = first.environments.map((facts) => ({ facts, diagnoses: diagnose(facts) }));
  const doubtful = diagnosed.filter(({ diagnoses }) => needsConfirmation(diagnoses));
  if (doubtful.length === 0) return { diagnosed, lockerError: first.lockerError };
  await world.clock.sleep(CONFIRM_AFTER_MS);
  const again = await observe(
    world,
    doubtful.map(({ facts }) => facts.environment),
  );
  const second = new Map(again.environments.map((facts) => [facts.environment.name, facts]));
  return {
    lockerError: first.lockerError,
    diagnosed: diagnosed.map((item) => {
      const facts = second.get(item.facts.environment.name);
      return facts === undefined ? item : { facts, diagnoses: confirmed(item.diagnoses, diagnose(facts)) };
    }),
  };
}

/** @throws PLAN_CHANGED where `planId` is not the plan of what is seen now. */
export async function repair(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  options: LoopOptions,
  progress: Progress,
): Promise<LoopResult> {
  const before = await look(world, environments, options);
  const plan = planRepairs(before.diagnosed, options.licence);
  refuseOtherPlan(plan, options.planId);
  const done: PlannedAction[] = [];
  const failures: Failure[] = [];
  let after = before;
  let next = plan;
  const rounds = options.planId === undefined ? ROUNDS_MAX : 1;
  for (let round = 0; round < rounds && next.id !== undefined; round += 1) {
    const applied = await apply(world, next, progress, options.signal);
    done.push(...applied.done);
    failures.push(...applied.failures);
    after = await settle(world, environments, options, {
      failed: applied.failures.length > 0,
      before: after,
      plan: next,
    });
    if (applied.failures.length > 0) break;
    const again = planRepairs(after.diagnosed, options.licence);
    // The same once more would end the same way.
    next = again.id === next.id ? NOTHING : again;
  }
  failures.push(...(await prove(world, after, done, progress)));
  return { before, after, plan, done, failures };
}

function refuseOtherPlan(plan: Plan, wanted: string | undefined): void {
  if (wanted === undefined || wanted === plan.id) return;
  throw new Nexus3Error('PLAN_CHANGED', `The plan is no longer ${wanted}; nothing was done.`, {
    evidence: [plan.id === undefined ? 'now there is nothing to do' : `now it is ${plan.id}`],
    hint: 'Look at what would be done now: nexus3 check --fix --dry-run',
  });
}

/** Looks until nothing is left that a repair could help, or the time is up. What Locker has just brought to light is no aftermath. */
async function settle(
  world: World,
  environments: readonly ConfiguredEnvironment[],
  options: LoopOptions,
  { failed, before, plan }: { readonly failed: boolean; readonly before: Look; readonly plan: Plan },
): Promise<Look> {
  const giveUpAt = world.clock.now().getTime() + SETTLE_MS;
  for (;;) {
    const seen = await look(world, environments);
    const left = planRepairs(seen.diagnosed, options.licence);
    if (failed || !mayGetBetter(seen, options.licence)) return seen;
    const uncovered = before.lockerError !== undefined && seen.lockerError === undefined;
    if (uncovered && left.id !== plan.id) return seen;
    if (world.clock.now().getTime() >= giveUpAt) return seen;
    await world.clock.sleep(SETTLE_POLL_MS);
  }
}

/** What no repair can help, no wait helps either; a Locker may only just be coming up. */
function mayGetBetter({ diagnosed, lockerError }: Look, licence: LoopOptions['licence']): boolean {
  if (lockerError?.code === 'LOCKER_UNREACHABLE') return true;
  const findings = diagnosed.flatMap(({ diagnoses }) => diagnoses.map(({ finding }) => finding));
  return findings.some(({ code, fixable }) => fixable && licence?.has(code) !== false);
}

/** Writes and reads, as a client does, in every environment that was changed and now looks healthy. */
async function prove(
  world: World,
  after: Look,
  done: readonly PlannedAction[],
  progress: Progress,
): Promise<readonly Failure[]> {
  const failures: Failure[] = [];
  await mapBounded(after.diagnosed, PROOF_CONCURRENCY_MAX, async ({ facts, diagnoses }) => {
    const { environment } = facts;
    const planned = done.find(({ action }) => environmentOf(action) === environment.name);
    const broken = diagnoses.some(({ finding }) => finding.severity === 'error');
    if (planned === undefined || broken || (after.lockerError !== undefined && !isLocker(environment))) return;
    try {
      await proveWriteAndRead(world, environment);
    } catch (error) {
      if (!(error instanceof Nexus3Error)) throw error;
      failures.push({ planned, error });
      progress.note(error.message);
    }
  });
  return failures;
}
