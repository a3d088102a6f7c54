/**
 * Rebuilds an empty or rolled-back vault from its operational. The operational's data are only ever read; the vault
 * comes up fenced (no application and no replica may log in), is compared with the operational, and only then is lifted.
 */
import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error, writeFailure } from '../../errors.js';
import { readIfThere, writeFileWhole } from '../../files.js';
import type { Progress } from '../../progress.js';
import { adminOf, credentialsOf } from '../access.js';
import { asideFolder, discardAside, moveAside } from '../vault-data/aside.js';
import { bookkeepAll } from '../check.js';
import { countBoth, provenSame } from './compare.js';
import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { isHeld, serverOf } from '../facts.js';
import { look } from '../loop.js';
import { perform } from '../perform.js';
import type { Recovered } from './recovered.js';
import { newIncarnation, ownerToBe, writeMark } from '../render.js';
import { follow, putUpFence, takeDownFence } from '../vault-data/fence.js';
import { fillFromSnapshot, stage, writeSince } from '../vault-data/stage.js';
import { stopIfStartedMeanwhile } from '../vault-data/stop.js';
import { proveWriteAndRead, untilLoaded } from '../wait.js';
import type { Admin, World } from '../world.js';

/** Below `aside/`, with the prefix of what is discarded when all is proven. */
const STAGED = 'vault-rebuilt';
/** The incarnation that a recovery is about to put in place. */
const ATTEMPT = 'vault-attempt';

export async function recoverVault(world: World, facts: EnvironmentFacts, progress: Progress): Promise<Recovered> {
  const { environment, vault, operational } = facts;
  if (operational === undefined)
    throw new Error('a Secure Environment was admitted to a recovery from its operational');
  const credentials = await credentialsOf(world, environment);
  let keptAside: string | null = null;
  if (isHeld(facts)) {
    if (vault.runtime !== undefined) await world.runtime.stop(vault.spec);
    progress.done('the vault is stopped');
    await bringUpToRead(world, environment, operational, progress);
    await using admin = await adminOf(world, environment, 'operational', credentials);
    await refuseNothing(environment, admin);
    await admin.save();
    progress.done('the operational has saved a snapshot');
    // Before the mark permits a start: killed in between, whatever starts the vault next starts it fenced.
    await putUpFence(world, environment, credentials);
    keptAside = await replaceData(world, facts, operational);
    progress.done('the vault’s new data are in place');
  } else {
    await putUpFence(world, environment, credentials);
    await bringUpToRead(world, environment, operational, progress);
  }
  if (vault.runtime === undefined) await world.runtime.create(vault.spec);
  await perform(world, { kind: 'start', on: vault.id }, progress);
  await untilLoaded(world, environment, 'vault');
  progress.done('the vault has started, fenced');
  provenSame(environment, await countBoth(world, environment));
  progress.done('keys and graphs are the same on both');
  await liftFence(world, environment, progress);
  const counts = provenSame(environment, await countBoth(world, environment));
  await bookkeepAll(await look(world, [environment]));
  await discardAside(world, environment.name, 'vault');
  return { ...counts, keptAside };
}

/** A recovery that was cut off when all was proven but not yet tidied up. */
export async function finishVaultRecovery(
  world: World,
  facts: EnvironmentFacts,
  progress: Progress,
): Promise<Recovered> {
  const { environment, operational } = facts;
  const counts = provenSame(environment, await countBoth(world, environment));
  progress.done('keys and graphs are the same on both');
  // The users in force may still be those of the fence.
  if (operational !== undefined) await liftFence(world, environment, progress);
  await bookkeepAll(await look(world, [environment]));
  await discardAside(world, environment.name, 'vault');
  progress.done('what was moved aside is discarded');
  return { ...counts, keptAside: null };
}

async function liftFence(world: World, environment: ConfiguredEnvironment, progress: Progress): Promise<void> {
  await takeDownFence(world, environment, await credentialsOf(world, environment), progress);
  await follow(world, environment, progress);
  progress.done('the fence is lifted, and the operational follows');
  const ms = await proveWriteAndRead(world, environment);
  progress.done(`written on the vault, read on the operational in ${ms.toFixed(1)} ms`);
}

/** A stopped operational has a snapshot, but that may be one of nothing: then what the vault's folder has left is more. */
async function refuseNothing(environment: ConfiguredEnvironment, admin: Admin): Promise<void> {
  const { keys } = await admin.countKeys();
  if (keys > 0) return;
  throw new Nexus3Error('RECOVER_REFUSED', `The operational of ${environment.name} holds nothing to rebuild from.`, {
    evidence: ['keys counted on the operational: 0'],
    hint: `Put the vault's data back; or accept what its folder holds now: nexus3 recover ${environment.name} --vault --accept-loss`,
  });
}

/** The operational may itself be stopped: its last snapshot is then what there is. Its vault is down, so nothing is lost. */
async function bringUpToRead(
  world: World,
  environment: ConfiguredEnvironment,
  operational: InstanceFacts,
  progress: Progress,
): Promise<void> {
  if (serverOf(operational) !== undefined) return;
  await perform(world, { kind: 'render', on: operational.id }, progress);
  if (operational.runtime === undefined) await world.runtime.create(operational.spec);
  await perform(world, { kind: 'start', on: operational.id }, progress);
  await untilLoaded(world, environment, 'operational');
}

/**
 * Staged beside, then put in place by renames; the mark, which alone lets the vault start with them, is written last.
 * Killed before that, the vault stays held and the recovery begins again.
 * @returns where the data that were there are kept: an older copy, another vault's folder, what a damage has left.
 */
async function replaceData(world: World, facts: EnvironmentFacts, operational: InstanceFacts): Promise<string | null> {
  const { vault, environment } = facts;
  const owner = await ownerToBe(vault.spec.dataDir);
  const incarnation = newIncarnation();
  const aside = asideFolder(world, environment.name);
  const staged = join(aside, STAGED);
  try {
    const snapshot = join(operational.spec.dataDir, 'dump.rdb');
    await stage({ folder: staged, incarnation, owner }, (appendOnly) =>
      fillFromSnapshot(appendOnly, (base) => copyFile(snapshot, base)),
    );
    await writeSince(staged, world.clock.now(), owner);
    const keep = vault.folder.hasData && !(await isEarlierAttempt(aside, vault));
    await writeFileWhole(join(aside, ATTEMPT), incarnation, { mode: 0o600 });
    const moved = await moveAside(world, vault.spec, { replacement: staged, keep });
    await stopIfStartedMeanwhile(world, vault.spec);
    await writeMark(vault.spec, { incarnation, seq: 0, bytes: 0 }, owner);
    return keep ? moved : null;
  } catch (error) {
    throw writeFailure(vault.spec.dataDir, error);
  }
}

/** What a recovery that was cut off has put in place is nobody's data. */
async function isEarlierAttempt(aside: string, vault: InstanceFacts): Promise<boolean> {
  const incarnation = await readIfThere(join(aside, ATTEMPT));
  return incarnation !== undefined && vault.folder.vault.birth?.incarnation === incarnation;
}
