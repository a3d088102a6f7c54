/**
 * The order in which passwords are replaced. At no point does a server accept less than what Locker hands out, so a kill
 * between any two steps locks nobody out, and the next run goes on from where Locker says this one was:
 *
 *     Locker             in force                what happens
 *     ─                  old
 *     prepared           old, then old + new     files and users take both
 *     promoted           old + new               Locker hands out the new ones; the link reconnects with its new one
 *                        … the grace …
 *     promoted           new                     files and users lose the old ones; that is proven
 *     ─                  new
 */
import { Nexus3Error } from '../../errors.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Rotation } from '../../locker/locker.js';
import { rolesOf } from '../../protocol/environment.js';
import type { CredentialName, Credentials, Passwords } from '../../protocol/users.js';
import type { Progress } from '../../progress.js';
import { proveWriteAndRead } from '../wait.js';
import type { World } from '../world.js';
import { provePasswords, proveReplication, putInForce, runningRoles, switchReplication } from './servers.js';
import type { Subject } from './subject.js';
import { currentOnly } from './under-way.js';

/** A rotation whose new passwords are handed out, and whose old ones are still accepted. */
export interface Promoted {
  readonly rotation: Rotation;
  /** One that an earlier run had begun: it is completed, and no other is begun. */
  readonly resumed: boolean;
}

export interface BeginOptions {
  readonly names: readonly CredentialName[];
  readonly graceMs: number;
  /** Of an environment that has trouble: its link is not relied on here, and proven by what the plan does next. */
  readonly isEmergency?: boolean;
}

/** Up to the grace. */
export async function begin(
  world: World,
  subject: Subject,
  { names, graceMs, isEmergency }: BeginOptions,
  progress: Progress,
): Promise<Promoted> {
  const { environment } = subject;
  const before = await subject.read();
  const resumed = before.rotation !== undefined;
  if (before.rotation?.phase !== 'promoted') {
    progress.step(`put new passwords of ${environment.name} in force beside the old ones`);
    if (!resumed) await subject.prepare(names);
    const { credentials, rotation } = await underWay(subject);
    await note(world, subject, rotation, 'prepared');
    await putInForce(world, environment, credentials, rotation.names);
    progress.done(`${environment.name} accepts old and new passwords`);
    await subject.promote(graceMs);
    await note(world, subject, rotation, 'promoted');
  }
  const { credentials, rotation } = await underWay(subject);
  if (rotation.names.includes('replicator')) {
    progress.step(`let the operational of ${environment.name} connect with its new password`);
    await switchReplication(world, environment, credentials);
    if (isEmergency !== true) await proveReplication(world, environment, credentials, progress);
    progress.done(`${environment.name} replicates with its new password`);
  }
  return { rotation, resumed };
}

/** After the grace. @returns false where another run has finished it meanwhile */
export async function finish(
  world: World,
  subject: Subject,
  begun: Rotation,
  progress: Progress,
  isEmergency = false,
): Promise<boolean> {
  const { environment } = subject;
  const { credentials, rotation } = await subject.read();
  if (rotation?.startedAt !== begun.startedAt || rotation.phase !== 'promoted') return false;
  progress.step(`take the old passwords of ${environment.name} out of force`);
  await withdraw(world, subject, credentials, rotation);
  if (!isEmergency) await proveTheRoute(world, environment);
  // Only now: a run that is cut off before this finds the rotation, and withdraws once more.
  await subject.finish();
  await note(world, subject, rotation, 'finished');
  progress.done(`${environment.name} refuses the old passwords`);
  return true;
}

async function withdraw(
  world: World,
  { environment }: Subject,
  credentials: Credentials,
  rotation: Rotation,
): Promise<void> {
  const current = currentOnly(credentials);
  await putInForce(world, environment, current, rotation.names);
  await provePasswords(world, environment, current, oldOf(credentials, rotation));
}

/** With the vault stopped there is nothing to write to; with the operational stopped, nothing to read from. */
async function proveTheRoute(world: World, environment: ConfiguredEnvironment): Promise<void> {
  const running = await runningRoles(world, environment);
  if (running.length === rolesOf(environment).length) await proveWriteAndRead(world, environment);
}

function oldOf({ alsoAccepted }: Credentials, { names }: Rotation): Passwords {
  return Object.fromEntries(
    names.flatMap((name) => (alsoAccepted?.[name] === undefined ? [] : [[name, alsoAccepted[name]]])),
  );
}

async function underWay(subject: Subject): Promise<{ readonly credentials: Credentials; readonly rotation: Rotation }> {
  const { credentials, rotation } = await subject.read();
  if (rotation !== undefined) return { credentials, rotation };
  throw new Error(`the rotation of ${subject.environment.name} is gone in the middle of it`);
}

export async function note(
  world: World,
  { environment }: Subject,
  { names }: Pick<Rotation, 'names'>,
  detail: 'prepared' | 'promoted' | 'finished' | Nexus3Error,
): Promise<void> {
  const failed = detail instanceof Nexus3Error;
  await world.locker.note({
    action: 'rotate',
    what: `${environment.name}: ${names.join(', ')}`,
    outcome: failed ? 'failed' : 'ok',
    detail: failed ? detail.code : detail,
  });
}
