/**
 * `rotate`: new passwords without downtime. What is under way stands in Locker (of Locker's own: in the root key's file),
 * so a run that was killed is completed by the next one, and two runs at once complete the same rotation.
 */
import { mapBounded } from '../../concurrency.js';
import type { ErrorCode } from '../../errors.js';
import { Nexus3Error } from '../../errors.js';
import type { CredentialName } from '../../protocol/users.js';
import { CREDENTIAL_NAMES } from '../../protocol/users.js';
import { instanceKey, rolesOf } from '../../protocol/environment.js';
import type { Progress } from '../../progress.js';
import { isLocker } from '../desired.js';
import { instancesIn, isUp } from '../facts.js';
import { observe } from '../observe.js';
import { refuseWhileLockerIsRestored } from '../restore/refuse.js';
import type { World } from '../world.js';
import type { Chosen, RotateOptions } from './choose.js';
import { chooseRotations, GRACE_SECONDS_DEFAULT, stepsOf } from './choose.js';
import { whyNotRotate } from './refuse.js';
import type { Promoted } from './steps.js';
import { begin, finish, note } from './steps.js';
import type { Subject } from './subject.js';
import { subjectOf } from './subject.js';

/** How many environments are given new passwords at once. */
const ROTATE_CONCURRENCY_MAX = 8;
/** A rotation that was under way, the one asked for, and once more for another run that got in between. */
const ROUNDS_MAX = 3;

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
  /** Whose new passwords are handed out: those asked for, and those of a rotation that an earlier run had begun. */
  readonly users: readonly CredentialName[];
  /** One was begun by an earlier run, and completed by this one before all else. */
  readonly resumed: boolean;
  /** Asked for, and not given new ones: there is an error. */
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
  /** Whose rotation has come to its end. */
  readonly rotated: Set<CredentialName>;
  resumed: boolean;
  /** Of a rotation that an earlier run has begun, as seen at the start. */
  readonly underWay: readonly CredentialName[];
  /** Under way now. */
  promoted?: Promoted | undefined;
  /** When its grace is over, in milliseconds since the epoch. */
  graceUntilMs?: number;
  error?: Nexus3Error | undefined;
}

/** @throws Nexus3Error before anything is begun: USAGE, ENVIRONMENT_UNKNOWN, LOCKER_…, and why an environment is refused */
export async function rotate(world: World, options: RotateOptions, progress: Progress): Promise<RotateReport> {
  const chosen = chooseRotations(world.configuration, options);
  await world.runtime.ready();
  const startedAt = world.clock.now().getTime();
  const turns = options.dryRun
    ? await lookAt(world, chosen, options)
    : await rotateAll(world, chosen, options, progress);
  const environments = turns.map((turn) => reported(turn, options));
  return {
    ok: environments.every(({ outcome }) => outcome !== 'failed'),
    dryRun: options.dryRun,
    graceSeconds: graceOf(options),
    durationMs: world.clock.now().getTime() - startedAt,
    environments,
  };
}

/**
 * Those that are named are refused together: nothing is begun while it can be put right. Of all, the one that is refused
 * keeps none of the others from new passwords.
 * @throws LOCKER_UNREACHABLE at once: a rotation is nothing to wait for Locker with
 */
async function lookAt(
  world: World,
  chosen: readonly Chosen[],
  { all }: Pick<RotateOptions, 'all'>,
): Promise<readonly Turn[]> {
  await (await world.locker.open()).read([]);
  const { environments, lockerError } = await observe(
    world,
    chosen.map(({ environment }) => environment),
  );
  if (lockerError !== undefined) throw lockerError;
  return chosen.map(({ environment, names }, index) => {
    const facts = environments[index];
    const error = facts === undefined ? undefined : whyNotRotate(facts);
    if (error !== undefined && !all) throw error;
    const stopped = facts === undefined ? [] : instancesIn(facts).filter((instance) => !isUp(instance));
    return {
      environment,
      names,
      subject: subjectOf(world, environment),
      notRunning: stopped.map(({ id }) => instanceKey(id)),
      underWay: facts?.rotation?.names ?? [],
      rotated: new Set<CredentialName>(),
      resumed: false,
      error,
    };
  });
}

/** A rotation that is under way is completed first, whoever began it; then those that it left over get their own. */
async function rotateAll(
  world: World,
  chosen: readonly Chosen[],
  options: RotateOptions,
  progress: Progress,
): Promise<readonly Turn[]> {
  const grace: Grace = { ms: graceOf(options) * 1_000, shortens: options.graceSeconds !== undefined };
  const turns = await beginAll(world, chosen, { all: options.all, grace }, progress);
  let due = turns;
  for (let round = 1; due.length > 0; round += 1) {
    await waitForGrace(world, due, progress);
    due = await finishAll(world, due, { grace, isLast: round === ROUNDS_MAX }, progress);
  }
  return turns;
}

async function beginAll(
  world: World,
  chosen: readonly Chosen[],
  { all, grace }: { readonly all: boolean; readonly grace: Grace },
  progress: Progress,
): Promise<readonly Turn[]> {
  await using _lock = await lockOf(world, progress);
  refuseWhileLockerIsRestored(world.configuration.dataRoot);
  const turns = await lookAt(world, chosen, { all });
  await beginEach(world, turns, grace, progress);
  return turns;
}

interface Grace {
  readonly ms: number;
  /** It was asked for, so it also ends one that an earlier run has begun; never later than that one meant to. */
  readonly shortens: boolean;
}

function graceOf({ graceSeconds }: RotateOptions): number {
  return graceSeconds ?? GRACE_SECONDS_DEFAULT;
}

async function beginEach(world: World, turns: readonly Turn[], grace: Grace, progress: Progress): Promise<void> {
  await inTurn(world, turns, async (turn) => {
    turn.promoted = await begin(world, turn.subject, { names: leftOver(turn), graceMs: grace.ms }, progress);
    const meant = Date.parse(turn.promoted.rotation.graceUntil ?? '') || 0;
    const asked = world.clock.now().getTime() + grace.ms;
    turn.graceUntilMs = turn.promoted.resumed && grace.shortens ? Math.min(meant, asked) : meant;
    if (!turn.promoted.resumed) return;
    turn.resumed = true;
    progress.note(`${turn.environment.name}: completing the rotation that is under way`);
  });
}

function leftOver({ names, rotated }: Turn): readonly CredentialName[] {
  return names.filter((name) => !rotated.has(name));
}

/** One wait for all. The lock is not held: whatever others do meanwhile, they keep both passwords accepted. */
async function waitForGrace(world: World, turns: readonly Turn[], progress: Progress): Promise<void> {
  const until = Math.max(
    0,
    ...turns.map(({ promoted, graceUntilMs = 0 }) => (promoted === undefined ? 0 : graceUntilMs)),
  );
  const leftMs = until - world.clock.now().getTime();
  if (leftMs <= 0) return;
  const text = `both passwords are accepted for ${String(Math.ceil(leftMs / 1_000))} s`;
  progress.note(`waiting until ${new Date(until).toISOString().slice(11, 19)} UTC`);
  progress.step(text);
  await world.clock.sleep(leftMs);
  progress.done(text);
}

/** @returns those of which something was left over, begun again before anybody else gets in between */
async function finishAll(
  world: World,
  turns: readonly Turn[],
  { grace, isLast }: { readonly grace: Grace; readonly isLast: boolean },
  progress: Progress,
): Promise<readonly Turn[]> {
  await using _lock = await lockOf(world, progress);
  refuseWhileLockerIsRestored(world.configuration.dataRoot);
  await inTurn(world, turns, async (turn) => {
    const { subject, promoted } = turn;
    if (promoted === undefined) return;
    if (!(await finish(world, subject, promoted.rotation, progress))) {
      progress.note(`${subject.environment.name}: another run has finished this rotation`);
    }
    for (const name of promoted.rotation.names) turn.rotated.add(name);
    turn.promoted = undefined;
    if (isLast && leftOver(turn).length > 0) throw othersCameFirst(turn);
  });
  const due = turns.filter((turn) => turn.error === undefined && leftOver(turn).length > 0);
  await beginEach(world, due, grace, progress);
  return due;
}

function othersCameFirst(turn: Turn): Nexus3Error {
  const { name } = turn.environment;
  return new Nexus3Error('ROTATE_REFUSED', `Other runs kept rotating ${name}, each time before this one.`, {
    evidence: [`not rotated: ${leftOver(turn).join(', ')}`],
    hint: 'Wait until no other run rotates it.',
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

function reported(turn: Turn, options: RotateOptions): RotatedEnvironment {
  const { dryRun } = options;
  const { environment, names, promoted, rotated, resumed, error, notRunning } = turn;
  const isPlanned = dryRun && error === undefined;
  const done = new Set(isPlanned ? names : [...rotated, ...(promoted?.rotation.names ?? [])]);
  return {
    name: environment.name,
    outcome: error !== undefined ? 'failed' : dryRun ? 'planned' : 'rotated',
    users: CREDENTIAL_NAMES.filter((name) => done.has(name)),
    resumed,
    notRotated: names.filter((name) => !done.has(name)),
    notRunning: rolesOf(environment)
      .map((role) => instanceKey({ env: environment.name, role }))
      .filter((key) => notRunning.includes(key)),
    steps: isPlanned ? stepsOf(turn, graceOf(options), turn.underWay) : [],
    error: error === undefined ? null : { code: error.code, message: error.message, hint: error.hint },
  };
}
