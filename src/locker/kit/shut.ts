/** Whether everything in Locker opens: what a kit would hold is all that somebody can lose. */
import { Nexus3Error } from '../../errors.js';
import type { LockerDatabase } from '../database.js';
import { dumpLocker } from './dump.js';

/** @throws Nexus3Error LOCKER_UNREACHABLE */
export async function whatIsShut(database: LockerDatabase): Promise<Nexus3Error | undefined> {
  try {
    await dumpLocker(database);
    return undefined;
  } catch (error) {
    if (error instanceof Nexus3Error && error.code.startsWith('LOCKER_VALUE_')) return error;
    throw error;
  }
}
