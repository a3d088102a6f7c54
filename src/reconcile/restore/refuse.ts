/** What may not be done to Locker while two copies of it lie here: whichever is put aside then would take it away again. */
import { Nexus3Error } from '../../errors.js';
import { LOCKER_NAME } from '../../protocol/environment.js';
import type { RestoreFacts } from '../facts.js';
import { seeRestore } from './journal.js';

/** For whatever writes to Locker or changes the root key. @throws Nexus3Error RESTORE_REFUSED */
export function refuseWhileLockerIsRestored(dataRoot: string): void {
  const restore = seeRestore(dataRoot, LOCKER_NAME);
  if (restore === undefined || restore.phase === 'opening') return;
  throw lockerIsRestored(restore);
}

/** Why Locker, which runs, lets nobody in. Undefined: not because of a restore. */
export function whyLockerIsFenced(dataRoot: string): Nexus3Error | undefined {
  const restore = seeRestore(dataRoot, LOCKER_NAME);
  if (restore === undefined) return undefined;
  if (restore.phase !== 'opening') return lockerIsRestored(restore);
  return new Nexus3Error('RESTORE_REFUSED', 'A restore of Locker is not finished, so it lets nobody in yet.', {
    evidence: [`phase ${restore.phase}, since ${restore.startedAt}: what was restored is proven`],
    hint: `Finish it: nexus3 restore ${LOCKER_NAME}`,
  });
}

function lockerIsRestored({ phase, startedAt }: RestoreFacts): Nexus3Error {
  return new Nexus3Error('RESTORE_REFUSED', 'A restore of Locker is not finished, so nothing is written to it.', {
    evidence: [`phase ${phase}, since ${startedAt}`],
    hint: `Finish it: nexus3 restore ${LOCKER_NAME}; or put the old data back: nexus3 restore ${LOCKER_NAME} --abort`,
  });
}
