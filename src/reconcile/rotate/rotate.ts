/**
 * `rotate`: new passwords without downtime. What is under way stands in Locker (of Locker's own: in the root key's file),
 * so a run that was killed is completed by the next one, and two runs at once complete the same rotation.
 */
import { mapBounded } from '../../concurrency.js';
import type { ErrorCode } from '../../errors.js';
import { Nexus3Error } from '../../errors.js';
import type { CredentialName } from '../../protocol/users.js';
import { instanceKey, rolesOf } from '../../protocol/environment.js';
import type { Progress } from '../../progress.js';
import { isLocker } from '../desired.js';
import { instancesIn, isUp } from '../facts.js';
import { observe } from '../observe.js';
import type { World } from '../world.js';
import type { Chosen, RotateOptions } from './choose.js';
import { chooseRotations, stepsOf } from './choose.js';
import { whyNotRotate } from './refuse.js';
import type { Promoted } from './steps.js';
import { begin, finish, note } from './steps.js';
import type { Subject } from './subject.js';
import { subjectOf } from './subject.js';

/** How many environments are given new passwords at once. */
const ROTATE_CONCURRENCY_MAX = 8;

export interface RotateReport {
  readonly ok: boolean;
  readonly dryRun: boolean;
  readonly graceSeconds: number;
  readonly durationMs: number;
  readonly environments: readonly RotatedEnvironment[];
}

export interface RotatedEnvironment {
  readonly name: string;
  readonly outcome: 'planned' | 'rotated' | 'failed';
  /** Whose passwords: of a rotation that an earlier run had begun, those of that one. */
  readonly users: readonly CredentialName[];
  /** It was begun by an earlier run, and completed by this one. */
  readonly resumed: boolean;
  /** Asked for, but not part of the rotation that had to be completed first. */
  readonly notRotated: readonly CredentialName[];
  /** `track/operational`: takes the passwords from its files when it starts, so nothing could be proven on it. */
  readonly notRunning: readonly string[];
  /** Only of a dry run. */
  readonly steps: readonly string[];
  readonly error: { readonly code: ErrorCode; readonly message: string; readonly hint: string } | null;
}

/** One environment's way through the command. */
interface Turn extends Chosen {
  readonly subject: Subject;
  readonly notRunning: readonly string[];
  promoted?: Promoted;
  error?: Nexus3Error;
}

/** @throws Nexus3Error before anything is begun: USAGE, ENVIRONMENT_UNKNOWN, LOCKER_…, and why an environment is refused */
export async function rotate(world: World, options: RotateOptions, progress: Progress): Promise<RotateReport> {
  const chosen = chooseRotations(world.configuration, options);
  await world.runtime.ready();
  const startedAt = world.clock.now().getTime();
  const graceMs = options.graceSeconds * 1_000;
  const turns = options.dryRun ? await lookAt(world, chosen) : await beginAll(world, chosen, graceMs, progress);
  if (!options.dryRun) {
    await waitForGrace(world, turns, progress);
    await finishAll(world, turns, progress);
  }
  const environments = turns.map((turn) => reported(turn, options));
  return {
    ok: environments.every(({ outcome }) => outcome !== 'failed'),
    dryRun: options.dryRun,
    graceSeconds: options.graceSeconds,
    durationMs: world.clock.now().getTime() - startedAt,
    environments,
  };
}

/** Refuses all where one is refused. @throws LOCKER_UNREACHABLE at once: a rotation is nothing to wait for Locker with */
async function lookAt(world: World, chosen: readonly Chosen[]): Promise<readonly Turn[]> {
  await (await world.locker.open()).read([]);
  const { environments, lockerError } = await observe(
    world,
    chosen.map(({ environment }) => environment),
  );
  if (lockerError !== undefined) throw lockerError;
  for (const facts of environments) {
    const refusal = whyNotRotate(facts);
    if (refusal !== undefined) throw refusal;
  }
  return chosen.map(({ environment, names }, index) => {
    const facts = environments[index];
    const stopped = facts === undefined ? [] : instancesIn(facts).filter((instance) => !isUp(instance));
    return {
      environment,
      names,
      subject: subjectOf(world, environment),
      notRunning: stopped.map(({ id }) => instanceKey(id)),
    };
  });
}

async function beginAll(
  world: World,
  chosen: readonly Chosen[],
  graceMs: number,
  progress: Progress,
): Promise<readonly Turn[]> {
  await using _lock = await lockOf(world, progress);
  const turns = await lookAt(world, chosen);
  await inTurn(world, turns, async (turn) => {
    turn.promoted = await begin(world, turn.subject, { names: turn.names, graceMs }, progress);
    if (turn.promoted.resumed) progress.note(`${turn.environment.name}: completing the rotation that is under way`);
  });
  return turns;
}

/** One wait for all. The lock is not held: whatever others do meanwhile, they keep both passwords accepted. */
async function waitForGrace(world: World, turns: readonly Turn[], progress: Progress): Promise<void> {
  const until = Math.max(0, ...turns.map(({ promoted }) => Date.parse(promoted?.rotation.graceUntil ?? '') || 0));
  const leftMs = until - world.clock.now().getTime();
  if (leftMs <= 0) return;
  const text = `both passwords are accepted for ${String(Math.ceil(leftMs / 1_000))} s`;
  progress.step(text);
  await world.clock.sleep(leftMs);
  progress.done(text);
}

async function finishAll(world: World, turns: readonly Turn[], progress: Progress): Promise<void> {
  await using _lock = await lockOf(world, progress);
  await inTurn(world, turns, async ({ subject, promoted }) => {
    if (promoted === undefined) return;
    if (await finish(world, subject, promoted.rotation, progress)) return;
    progress.note(`${subject.environment.name}: another run has finished this rotation`);
  });
}

/** What fails in one environment stops nothing in the others. Locker comes last, when nobody else needs it any more. */
async function inTurn(world: World, turns: readonly Turn[], work: (turn: Turn) => Promise<void>): Promise<void> {
  const one = async (turn: Turn): Promise<void> => {
    if (turn.error !== undefined) return;
    try {
      await work(turn);
    } catch (error) {
      if (!(error instanceof Nexus3Error)) throw error;
      turn.error = error;
      await noteFailure(world, turn, error);
    }
  };
  const others = turns.filter(({ environment }) => !isLocker(environment));
  await mapBounded(others, ROTATE_CONCURRENCY_MAX, one);
  for (const turn of turns) if (isLocker(turn.environment)) await one(turn);
}

/** Where Locker is what failed, the audit cannot be written either; the failure itself is what is told. */
async function noteFailure(world: World, { subject, names }: Turn, error: Nexus3Error): Promise<void> {
  try {
    await note(world, subject, { names }, error);
  } catch (failure) {
    if (!(failure instanceof Nexus3Error)) throw failure;
  }
}

async function lockOf(world: World, progress: Progress): ReturnType<World['locks']['acquire']> {
  return world.locks.acquire('rotate', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
}

function reported(turn: Turn, { dryRun, graceSeconds }: RotateOptions): RotatedEnvironment {
  const { environment, names, promoted, error, notRunning } = turn;
  const users = promoted?.rotation.names ?? names;
  return {
    name: environment.name,
    outcome: error !== undefined ? 'failed' : dryRun ? 'planned' : 'rotated',
    users,
    resumed: promoted?.resumed === true,
    notRotated: names.filter((name) => !users.includes(name)),
    notRunning: rolesOf(environment)
      .map((role) => instanceKey({ env: environment.name, role }))
      .filter((key) => notRunning.includes(key)),
    steps: dryRun ? stepsOf(turn, graceSeconds) : [],
    error: error === undefined ? null : { code: error.code, message: error.message, hint: error.hint },
  };
}
