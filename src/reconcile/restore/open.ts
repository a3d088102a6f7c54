/**
 * The restored data, proven, are opened to everybody: first applications, then the operational, which is refilled. From
 * here a restore only goes forwards; cut off, the next run does all of it again.
 */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error } from '../../errors.js';
import { writeFileWhole } from '../../files.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Progress } from '../../progress.js';
import { adminOf, credentialsOf, hostAddress } from '../access.js';
import { bookkeepAll } from '../check.js';
import { isLocker, specOf } from '../desired.js';
import { readVaultFolder } from '../folder.js';
import { look } from '../loop.js';
import { perform } from '../perform.js';
import { countBoth, provenSame } from '../recover/compare.js';
import { repairUsers } from '../tokens.js';
import { discardAside, UNARCHIVED_FILE } from '../vault-data/aside.js';
import { follow, takeDownFence } from '../vault-data/fence.js';
import { proveWriteAndRead, untilLoaded } from '../wait.js';
import { stateOf } from '../vault-data/stop.js';
import type { World } from '../world.js';
import { keysIn } from './content.js';
import { endJournal } from './journal.js';
import type { Restoring } from './restoring.js';
import { noteRestored } from './run.js';
import { keptFolder, runs, vaultSpecOf } from './restoring.js';
import { wordsOf } from './source.js';

/** A vault that is written to meanwhile is compared again, so often, so far apart (milliseconds). */
const COMPARISONS_MAX = 10;
const COMPARE_AGAIN_MS = 200;

/** What comes with an older Locker. */
export const LOCKER_WARNINGS: readonly string[] = [
  'Passwords that were changed since then are the older ones again in Locker: afterwards run `nexus3 check --fix`, and do what it says of the rest.',
  'Locker’s audit ends where it did then: `nexus3 locker audit --verify` will say so.',
];

export interface Opened {
  readonly keys: number;
  readonly graphs: number;
  readonly warnings: readonly string[];
}

/** @param onOpen the vault takes writes again */
export async function openToAll(restoring: Restoring, onOpen: () => void): Promise<Opened> {
  const { world, environment, credentials, progress } = restoring;
  const warnings: string[] = [];
  await untilStarted(restoring);
  await takeDownFence(world, environment, credentials, progress);
  onOpen();
  progress.done('the fence is down: applications may log in');
  if (environment.kind === 'standard') warnings.push(...(await refill(restoring)));
  const ms = await proveWriteAndRead(world, environment);
  const route = environment.kind === 'standard' ? 'written on the vault, read on the operational' : 'written and read';
  progress.done(`${route} in ${ms.toFixed(1)} ms`);
  if (isLocker(environment)) {
    await repairUsers(world);
    warnings.push(...LOCKER_WARNINGS);
  }
  await bookkeepAll(await look(world, [environment]));
  warnings.push(...(await note(restoring, 'ok')), ...(await archiveKept(restoring)));
  // Before the journal goes: a kill in between leaves the one or the other to go by.
  warnings.push(...(await noteRestored(world, restoring.journal)));
  await endJournal(world.configuration.dataRoot, environment.name);
  await discardAside(world, environment.name, 'vault');
  const { expected } = restoring.journal;
  return { keys: keysIn(expected), graphs: expected.graphs.length, warnings };
}

/** A run that was cut off may have been followed by a reboot. */
async function untilStarted({ world, environment, progress }: Restoring): Promise<void> {
  const spec = vaultSpecOf({ world, environment });
  const state = await stateOf(world, spec);
  if (runs(state)) return;
  if (state === undefined) await world.runtime.create(spec);
  await perform(world, { kind: 'start', on: spec.id }, progress);
  await untilLoaded(world, environment, 'vault');
}

/** @returns what could not be proven */
async function refill({ world, environment, credentials, progress }: Restoring): Promise<readonly string[]> {
  const on = { env: environment.name, role: 'operational' } as const;
  const spec = specOf(world.configuration, environment, 'operational');
  const state = await stateOf(world, spec);
  await perform(world, { kind: 'render', on }, progress);
  if (state === undefined) await world.runtime.create(spec);
  // One that has other passwords than Locker is started with Locker's; what it holds stays until it is refilled.
  const isOpen = runs(state) && (await acceptsAdmin(world, environment, credentials));
  if (!isOpen) {
    await perform(world, { kind: 'restart', on }, progress);
    await untilLoaded(world, environment, 'operational');
  }
  progress.step('the operational is refilled from its vault');
  await followAtLast(world, environment, progress);
  const same = await provenRefilled(world, environment);
  progress.done(same ? 'the operational follows, and holds the same' : 'the operational follows');
  return same
    ? []
    : [`${environment.name} is being written to, so vault and operational were not compared; the link is up.`];
}

/** Its link may have come up by itself, as the fence went down; while it loads one large graph it answers nobody. */
async function followAtLast(world: World, environment: ConfiguredEnvironment, progress: Progress): Promise<void> {
  try {
    await follow(world, environment, progress);
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    await perform(world, { kind: 'wait-for-link', on: { env: environment.name, role: 'operational' } }, progress);
  }
}

async function acceptsAdmin(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Restoring['credentials'],
): Promise<boolean> {
  const view = await world.servers.probe({
    address: hostAddress(specOf(world.configuration, environment, 'operational')),
    adminPassword: credentials['operational-admin'],
    directives: [],
    masterauth: undefined,
  });
  return view.state === 'open' || view.state === 'loading';
}

/**
 * Counted on the vault before and after its operational: only where nothing was written meanwhile can a difference be held
 * against it.
 * @returns false: there was never a moment without writes
 * @throws Nexus3Error NOT_PROVEN
 */
async function provenRefilled(world: World, environment: ConfiguredEnvironment): Promise<boolean> {
  for (let comparison = 1; ; comparison += 1) {
    const both = await countBoth(world, environment);
    try {
      provenSame(environment, both);
      return true;
    } catch (error) {
      if (!(error instanceof Nexus3Error)) throw error;
      const isStill = JSON.stringify(both.vault) === JSON.stringify((await countVault(world, environment)) ?? null);
      if (comparison >= COMPARISONS_MAX) {
        if (isStill) throw error;
        return false;
      }
      await world.clock.sleep(COMPARE_AGAIN_MS);
    }
  }
}

async function countVault(world: World, environment: ConfiguredEnvironment): Promise<unknown> {
  await using admin = await adminOf(world, environment, 'vault', await credentialsOf(world, environment));
  const keys = await admin.countKeys();
  return { keys, graphs: await admin.countGraphs() };
}

/** Who restored what. What serves, serves, also where that cannot be written down. @returns what went wrong */
export async function note(
  { world, environment, journal }: Restoring,
  outcome: 'ok' | 'failed',
): Promise<readonly string[]> {
  const { source } = journal;
  const detail = source.kind === 'backup' ? source.id : source.at;
  try {
    await world.locker.note({ action: 'restore-environment', what: environment.name, outcome, detail });
    return [];
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    return [`That ${wordsOf(source)} was restored could not be noted in Locker’s audit: ${error.message}`];
  }
}

/**
 * All that the vault ever wrote, to the last write before it was stopped, so that a restore can be undone by the second.
 * From where it is kept, which nexus3 never discards: earlier, it would only have made everybody wait for it.
 */
async function archiveKept(restoring: Restoring): Promise<readonly string[]> {
  const { world, environment } = restoring;
  const kept = keptFolder(restoring);
  const { aof } = readVaultFolder(kept);
  // Only what has an append-only file has a history.
  if (aof === undefined || aof.missingFiles.length > 0) return [];
  try {
    await world.backups.history.archive(environment.name, kept);
    await rm(join(kept, UNARCHIVED_FILE), { force: true });
    return [];
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    await keepFromDiscard(kept);
    return [`The history of what was replaced is not in the archive: ${error.message} It lies in ${kept}`];
  }
}

/** `aside discard` leaves it then. Where not even that can be written, the warning is all there is. */
async function keepFromDiscard(kept: string): Promise<void> {
  try {
    await writeFileWhole(join(kept, UNARCHIVED_FILE), '', { mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
  }
}
