/**
 * The rotation of Locker's own passwords. They are derived from the root key and a generation, so what is under way
 * stands in the root key's file: which generation is in use, and which one is accepted besides.
 *
 *     g               none
 *     g also g+1      prepared: the next ones are accepted besides
 *     g+1 also g      promoted: they are the ones in use, and the old ones are accepted until the grace is over
 *     g+1             finished
 */
import { writeFileWhole } from '../files.js';
import type { CredentialName } from '../protocol/users.js';
import type { OwnRotationStep, Rotation } from './locker.js';
import type { RootKey } from './root-key.js';

const FILE_MODE = 0o600;
/** Derived together, so they change together; those that a Secure Environment has. */
const OWN_NAMES: readonly CredentialName[] = ['default', 'admin', 'backup'];
/** For a file that names no times: then everything is long over. */
const LONG_AGO = new Date(0).toISOString();

/** Undefined: none is under way. */
export function ownRotation({ generation, alsoAccepted, rotationTimes }: RootKey): Rotation | undefined {
  if (alsoAccepted === undefined) return undefined;
  const { startedAt, graceUntil } = rotationTimes ?? { startedAt: LONG_AGO, graceUntil: null };
  return alsoAccepted > generation
    ? { names: OWN_NAMES, phase: 'prepared', startedAt, graceUntil: null }
    : { names: OWN_NAMES, phase: 'promoted', startedAt, graceUntil: graceUntil ?? startedAt };
}

/** The root key after this step; the same one where there is nothing to do. */
export function afterStep(rootKey: RootKey, step: OwnRotationStep): RootKey {
  const { generation, alsoAccepted } = rootKey;
  const rotation = ownRotation(rootKey);
  switch (step.kind) {
    case 'prepare': {
      if (rotation !== undefined) return rootKey;
      return rootKey.withGenerations(generation, generation + 1, {
        startedAt: step.at.toISOString(),
        graceUntil: null,
      });
    }
    case 'promote': {
      if (rotation?.phase !== 'prepared' || alsoAccepted === undefined) return rootKey;
      const times = { startedAt: rotation.startedAt, graceUntil: step.graceUntil.toISOString() };
      return rootKey.withGenerations(alsoAccepted, generation, times);
    }
    case 'finish':
      return rotation?.phase === 'promoted' ? rootKey.withGenerations(generation) : rootKey;
  }
}

/** @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
export async function replaceRootKey(path: string, rootKey: RootKey): Promise<void> {
  await writeFileWhole(path, rootKey.toText(), { mode: FILE_MODE });
}
