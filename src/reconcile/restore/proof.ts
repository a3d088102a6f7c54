/** What a scratch server says of restored data, beside the vault that still serves. */
import { chown, constants, copyFile, link, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { makeFolder } from '../../files.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { EngineVersion } from '../../protocol/engine-record.js';
import type { ContentCounts } from '../../redis/observation.js';
import { untilEnforced } from '../enforced.js';
import type { Owner } from '../render.js';
import type { ScratchContent } from '../scratch.js';
import { withScratch } from '../scratch.js';
import { fillFromSnapshot, giveTo } from '../vault-data/stage.js';
import type { World } from '../world.js';
import { stagedFolder } from './restoring.js';

const MINUTE_MS = 60_000;
/** Within the time that a scratch server may live. One of 300,000 nodes took 22 s on two busy cores. */
const ENFORCE_WAIT_MS = 30 * MINUTE_MS;

/** Of the server that would be started here. @throws Nexus3Error START_FAILED, … */
export function engineAtHand(world: World, environment: ConfiguredEnvironment): Promise<EngineVersion> {
  const nothing = { prepare: () => Promise.resolve(), appendOnly: false };
  return withScratch(world, environment.name, nothing, ({ engine }) => Promise.resolve(engine));
}

/** Loads what is staged, and counts it. @throws Nexus3Error BACKUP_DAMAGED, BACKUP_TOO_NEW, … */
export function loadStaged(world: World, environment: ConfiguredEnvironment): Promise<ContentCounts> {
  return withScratch(world, environment.name, staged(world, environment), ({ admin }) => admin.countContent());
}

/**
 * The same, and what was loaded takes the place of what is staged, as a snapshot. A vault that replays writes comes up with
 * vector indexes that find too few neighbours (measured, FalkorDB 4.16.3: each vector counts twice); from a snapshot they
 * are built anew. And nobody can write to a vault while it loads: a snapshot loads sooner than the writes that led to it.
 */
export function settleStaged(world: World, environment: ConfiguredEnvironment): Promise<ContentCounts> {
  return withScratch(world, environment.name, staged(world, environment), async ({ admin, dir }) => {
    const [graph] = await untilEnforced(admin, world.clock, ENFORCE_WAIT_MS);
    if (graph !== undefined) throw notEnforced(environment.name, graph);
    const counted = await admin.countContent();
    await admin.save();
    const appendOnly = join(stagedFolder(world, environment.name), 'appendonlydir');
    const { uid, gid } = await stat(appendOnly);
    await rm(appendOnly, { recursive: true });
    await fillFromSnapshot(appendOnly, (path) => rename(join(dir, 'dump.rdb'), path));
    await giveTo(appendOnly, { uid, gid });
    return counted;
  });
}

function notEnforced(env: string, graph: string): Nexus3Error {
  return new Nexus3Error('NOT_PROVEN', `A constraint of the graph ${graph} is still not in force.`, {
    evidence: [`waited for ${String(ENFORCE_WAIT_MS / MINUTE_MS)} minutes, in a server beside`],
    hint: `Nothing was changed. Run it again when this host has less to do, or restore a backup: nexus3 backup list ${env}`,
  });
}

function staged(world: World, environment: ConfiguredEnvironment): ScratchContent {
  const source = join(stagedFolder(world, environment.name), 'appendonlydir');
  return {
    prepare: (dir, owner) => lay(source, join(dir, 'appendonlydir'), owner),
    appendOnly: true,
  };
}

/**
 * The snapshots, which are most of it, as second names of the same files: a server only ever reads them. What it may append
 * to is copied.
 */
async function lay(source: string, target: string, owner: Owner | undefined): Promise<void> {
  await makeFolder(target, { mode: 0o700, owner });
  for (const name of await readdir(source)) {
    const [from, to] = [join(source, name), join(target, name)];
    if (!name.endsWith('.base.rdb') || !(await linked(from, to))) await copyFile(from, to, constants.COPYFILE_FICLONE);
    if (owner !== undefined) await chown(to, owner.uid, owner.gid);
  }
}

/** False on a file system without second names. */
async function linked(from: string, to: string): Promise<boolean> {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') throw error;
    return false;
  }
}
