/**
 * Rebuilds an empty or rolled-back vault from its operational. The operational's data are only ever read; the vault
 * comes up fenced (its `replicator` user is off), is compared with the operational, and only then may replicate.
 */
import { chown, copyFile, mkdir, open, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFailure } from '../errors.js';
import { syncFolder } from '../files.js';
import { renderBirth } from '../protocol/guard.js';
import { BIRTH_FILE } from '../protocol/layout.js';
import type { Progress } from '../progress.js';
import { adminOf, credentialsOf } from './access.js';
import { asideFolder, discardAside, moveAside } from './aside.js';
import { bookkeepAll } from './check.js';
import { countBoth, provenSame } from './compare.js';
import type { EnvironmentFacts, InstanceFacts } from './facts.js';
import { guardOf, isHeld, serverOf } from './facts.js';
import { look } from './loop.js';
import { perform } from './perform.js';
import type { Recovered } from './recovered.js';
import type { Owner } from './render.js';
import { newIncarnation, ownerOf, renderInstance, writeMark } from './render.js';
import { proveWriteAndRead, untilLoaded } from './wait.js';
import type { World } from './world.js';

const STAGED = 'vault-rebuilt';
const AOF_BASE = 'appendonly.aof.1.base.rdb';

export async function recoverVault(world: World, facts: EnvironmentFacts, progress: Progress): Promise<Recovered> {
  const { environment, vault, operational } = facts;
  if (operational === undefined)
    throw new Error('a Secure Environment was admitted to a recovery from its operational');
  const credentials = await credentialsOf(world, environment);
  let keptAside: string | null = null;
  if (isHeld(facts)) {
    if (vault.runtime !== undefined) await world.runtime.stop(vault.spec);
    progress.done('the vault is stopped');
    await bringUpToRead(world, operational, progress);
    await using admin = await adminOf(world, environment, 'operational', credentials);
    await admin.save();
    progress.done('the operational has saved a snapshot');
    keptAside = await replaceData(world, facts, operational);
    progress.done('the vault’s new data are in place');
  }
  await renderInstance(world, environment, vault.spec, credentials, { fenced: true });
  if (vault.runtime === undefined) await world.runtime.create(vault.spec);
  await perform(world, { kind: 'start', on: vault.id }, progress);
  await untilLoaded(world, environment);
  progress.done('the vault has started, fenced');
  provenSame(environment, await countBoth(world, environment));
  progress.done('keys and graphs are the same on both');
  await perform(world, { kind: 'render', on: vault.id }, progress);
  await perform(world, { kind: 'load-users', on: vault.id }, progress);
  await perform(world, { kind: 'attach', on: operational.id }, progress);
  await perform(world, { kind: 'wait-for-link', on: operational.id }, progress);
  progress.done('the fence is lifted, and the operational follows');
  const ms = await proveWriteAndRead(world, environment);
  progress.done(`written on the vault, read on the operational in ${ms.toFixed(1)} ms`);
  const counts = provenSame(environment, await countBoth(world, environment));
  await bookkeepAll(await look(world, [environment]));
  await discardAside(world, environment.name, 'vault');
  return { ...counts, keptAside };
}

/** A recovery that was cut off when all was proven but not yet tidied up. */
export async function finishVaultRecovery(
  world: World,
  { environment }: EnvironmentFacts,
  progress: Progress,
): Promise<Recovered> {
  const counts = provenSame(environment, await countBoth(world, environment));
  progress.done('keys and graphs are the same on both');
  await discardAside(world, environment.name, 'vault');
  progress.done('what was moved aside is discarded');
  return { ...counts, keptAside: null };
}

/** The operational may itself be stopped: its last snapshot is then what there is. Its vault is down, so nothing is lost. */
async function bringUpToRead(world: World, operational: InstanceFacts, progress: Progress): Promise<void> {
  if (serverOf(operational) !== undefined) return;
  await perform(world, { kind: 'render', on: operational.id }, progress);
  if (operational.runtime === undefined) await world.runtime.create(operational.spec);
  await perform(world, { kind: 'start', on: operational.id }, progress);
}

/**
 * Staged beside, then put in place by renames; the mark, which alone lets the vault start with them, is written last.
 * Killed before that, the vault stays held and the recovery begins again.
 * @returns where the data that were there are kept, when somebody may want them: an older copy, put back by hand.
 */
async function replaceData(world: World, facts: EnvironmentFacts, operational: InstanceFacts): Promise<string | null> {
  const { vault, environment } = facts;
  const owner = world.runtime.newFolderOwner() === undefined ? undefined : await ownerOf(operational.spec.dataDir);
  const incarnation = newIncarnation();
  const staged = join(asideFolder(world, environment.name), STAGED);
  try {
    await stage(staged, join(operational.spec.dataDir, 'dump.rdb'), incarnation, owner);
    const verdict = guardOf(facts);
    const keep = verdict.state === 'held' && verdict.code === 'vault-behind';
    const moved = await moveAside(world, vault.spec, { replacement: staged, keep });
    await writeMark(vault.spec, { incarnation, seq: 0, bytes: 0 }, owner);
    return keep ? moved : null;
  } catch (error) {
    throw writeFailure(vault.spec.dataDir, error);
  }
}

/** A data folder whose append-only file begins with the snapshot (see docs/engine.md: a bare dump.rdb would be ignored). */
async function stage(staged: string, snapshot: string, incarnation: string, owner: Owner | undefined): Promise<void> {
  const appendOnly = join(staged, 'appendonlydir');
  const base = join(appendOnly, AOF_BASE);
  const manifest = join(appendOnly, 'appendonly.aof.manifest');
  const birth = join(staged, BIRTH_FILE);
  await rm(staged, { recursive: true, force: true });
  await mkdir(appendOnly, { recursive: true, mode: 0o700 });
  await copyFile(snapshot, base);
  await writeFile(manifest, `file ${AOF_BASE} seq 1 type b\n`, { mode: 0o600 });
  await writeFile(birth, renderBirth({ state: 'born', incarnation }), { mode: 0o600 });
  for (const path of [base, manifest, birth]) await syncFile(path);
  if (owner !== undefined) {
    for (const path of [staged, appendOnly, base, manifest, birth]) await chown(path, owner.uid, owner.gid);
  }
  await syncFolder(appendOnly);
  await syncFolder(staged);
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
