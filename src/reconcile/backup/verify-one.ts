/**
 * One backup, loaded into a scratch server and counted. What it held the first time is written into its manifest; later it
 * must hold the same. Where its vault has not written since, the vault itself is the second witness.
 */
import { join } from 'node:path';
import type { Manifest, Verification } from '../../backup/backups.js';
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import type { ContentCounts } from '../../redis/observation.js';
import { credentialsOf, hostAddress } from '../access.js';
import { isLocker, specOf } from '../desired.js';
import { contentDifferences, lessConstraintsSince } from '../restore/content.js';
import { NOT_WRITABLE } from '../restore/hold-repository.js';
import { withScratch } from '../scratch.js';
import type { World } from '../world.js';
import { flowOf } from './flow.js';

const SNAPSHOT_FILE = 'dump.rdb';

export interface Verified {
  readonly manifest: Manifest;
  readonly content: ContentCounts;
  readonly verification: Verification;
  /** The vault had not written since, and its own counts are the same. */
  readonly comparedWithVault: boolean;
  /** Why what was found is not in the manifest that lies there. */
  readonly notRecorded: Nexus3Error | undefined;
}

interface Proof {
  readonly counted: Pick<Verification, 'engine' | 'loadMs'> & { readonly content: ContentCounts };
  /** What its vault holds; undefined: it is no witness. */
  readonly vault: ContentCounts | undefined;
}

/**
 * For whoever holds the repository's lock. That a backup is damaged or untrue is recorded before it is thrown.
 * @throws Nexus3Error BACKUP_UNTRUE, BACKUP_DAMAGED, BACKUP_TOO_NEW, BACKUP_KEY_UNKNOWN, DISK_FULL, START_FAILED
 */
export async function verifyOne(world: World, manifest: Manifest, progress: Progress): Promise<Verified> {
  const { env } = manifest;
  const { counted, vault } = await recordingFailure(world, manifest, () => prove(world, manifest, progress));
  const verification: Verification = {
    verifiedAt: world.clock.now().toISOString(),
    loadMs: counted.loadMs,
    runtime: world.runtime.name,
    engine: counted.engine,
  };
  const content = manifest.content ?? counted.content;
  const { recorded, notRecorded } = await recordOrSay(world, manifest, { content, verification });
  progress.done(`${env}: ${manifest.id} loads in ${String(counted.loadMs)} ms and holds what it should`);
  return { manifest: recorded, content, verification, comparedWithVault: vault !== undefined, notRecorded };
}

/** A backup is as good where nothing can be written beside it: an old disk, mounted so that nothing happens to it. */
async function recordOrSay(
  world: World,
  manifest: Manifest,
  found: Pick<Verified, 'content' | 'verification'>,
): Promise<{ readonly recorded: Manifest; readonly notRecorded: Nexus3Error | undefined }> {
  try {
    return { recorded: await world.backups.record(manifest, found), notRecorded: undefined };
  } catch (error) {
    if (!(error instanceof Nexus3Error) || !NOT_WRITABLE.has(error.code)) throw error;
    return { recorded: { ...manifest, ...found }, notRecorded: error };
  }
}

async function prove(world: World, manifest: Manifest, progress: Progress): Promise<Proof> {
  const counted = await loadAndCount(world, manifest, progress);
  if (manifest.content !== null) refuseUntrue(manifest, manifest.content, counted.content, 'its manifest');
  const vault = await countOnQuietVault(world, manifest);
  if (vault !== undefined) {
    const then = lessConstraintsSince(counted.content, vault);
    refuseUntrue(manifest, then, counted.content, 'its vault, which has written nothing since');
    // It enforces more than was in force, which is no fault of the backup; but then it is not the same.
    if (contentDifferences(then, vault).length > 0) return { counted, vault: undefined };
  }
  return { counted, vault };
}

/** What was found wrong with the backup itself is written into its manifest: nobody may take it for a verified one again. */
async function recordingFailure<T>(world: World, manifest: Manifest, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    const { code } = error;
    if (code !== 'BACKUP_DAMAGED' && code !== 'BACKUP_UNTRUE') throw error;
    try {
      await world.backups.recordFailure(manifest, { at: world.clock.now().toISOString(), code });
    } catch (unwritten) {
      if (!(unwritten instanceof Nexus3Error)) throw unwritten;
      const evidence = [...error.evidence, `this could not be written into its manifest: ${unwritten.message}`];
      throw new Nexus3Error(code, error.message, { evidence, hint: error.hint, cause: error });
    }
    throw error;
  }
}

async function loadAndCount(world: World, manifest: Manifest, progress: Progress): Promise<Proof['counted']> {
  const { env, id } = manifest;
  return withScratch(
    world,
    env,
    {
      appendOnly: false,
      async prepare(dir, owner) {
        const flow = flowOf(progress, world.clock, `copy of ${env}/${id} for a scratch server`);
        await world.backups.extract(manifest, join(dir, SNAPSHOT_FILE), owner, flow.onBytes);
        progress.step(`load ${env}/${id} into a scratch server`);
      },
    },
    async ({ admin, engine, loadMs }) => {
      progress.step(`count what ${env}/${id} holds`);
      return { content: await admin.countContent(), engine, loadMs };
    },
  );
}

function refuseUntrue(manifest: Manifest, expected: ContentCounts, found: ContentCounts, against: string): void {
  const differences = contentDifferences(expected, found);
  if (differences.length === 0) return;
  const { env, id } = manifest;
  throw new Nexus3Error('BACKUP_UNTRUE', `The backup ${id} of ${env} does not hold what ${against} says.`, {
    evidence: differences,
    hint: `Do not rely on it. Make another one now: nexus3 backup create ${env}`,
  });
}

/**
 * Only what is looked at before and after counting, and has not moved, is a witness. Where the vault cannot be asked, or
 * has gone on, there is none: that says nothing against the backup.
 */
async function countOnQuietVault(world: World, { env, replication }: Manifest): Promise<ContentCounts | undefined> {
  const environment = world.configuration.environments.find(({ name }) => name === env);
  if (environment === undefined) return undefined;
  try {
    // Not waited for: without Locker there is no witness, and the backup is as good.
    if (!isLocker(environment)) await (await world.locker.open()).read([]);
    const { admin: adminPassword } = await credentialsOf(world, environment);
    const address = hostAddress(specOf(world.configuration, environment, 'vault'));
    const isQuiet = async (): Promise<boolean> => {
      const view = await world.servers.probe({ address, adminPassword, directives: [], masterauth: undefined });
      return (
        view.state === 'open' &&
        view.server.replicationId === replication.id &&
        view.server.offset === replication.offset
      );
    };
    if (!(await isQuiet())) return undefined;
    await using admin = await world.servers.admin(address, adminPassword);
    const content = await admin.countContent();
    return (await isQuiet()) ? content : undefined;
  } catch (error) {
    if (error instanceof Nexus3Error) return undefined;
    throw error;
  }
}
