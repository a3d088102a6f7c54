/** A credential that was exposed, replaced at once: the same steps without a grace, and whoever is in with it is put out. */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { CredentialName } from '../../protocol/users.js';
import type { Progress } from '../../progress.js';
import { credentialsOf } from '../access.js';
import type { World } from '../world.js';
import { disconnectAll } from './servers.js';
import { begin, finish } from './steps.js';
import type { Subject } from './subject.js';
import { subjectOf } from './subject.js';

/** Under the lock of the command that calls it. */
export async function replaceNow(
  world: World,
  environment: ConfiguredEnvironment,
  name: CredentialName,
  progress: Progress,
): Promise<void> {
  const subject = subjectOf(world, environment);
  const { rotation } = await subject.read();
  // One that is under way comes to its end first. Only where it has not handed out its new password yet is that enough.
  const isEnough = rotation?.phase === 'prepared' && rotation.names.includes(name);
  if (rotation !== undefined) {
    progress.note(`${environment.name}: the rotation under way ends at once, because a password was exposed`);
    await oneRotation(world, subject, rotation.names, progress);
  }
  if (!isEnough) await oneRotation(world, subject, [name], progress);
  await disconnectAll(world, environment, await credentialsOf(world, environment), [name]);
}

async function oneRotation(
  world: World,
  subject: Subject,
  names: readonly CredentialName[],
  progress: Progress,
): Promise<void> {
  const { rotation } = await begin(world, subject, { names, graceMs: 0, isEmergency: true }, progress);
  await finish(world, subject, rotation, progress, true);
}
