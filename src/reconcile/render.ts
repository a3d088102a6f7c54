/** Writes what an instance is started from: its folders, its rendered files, and a vault's birth and mark. */
import { randomBytes } from 'node:crypto';
import { lchown, lstat, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { ConfiguredEnvironment } from '../config/configuration.js';
import { Nexus3Error, systemErrorCode } from '../errors.js';
import { makeFolder, writeFileWhole } from '../files.js';
import type { Mark } from '../protocol/guard.js';
import { judgeVault, renderBirth, renderMark } from '../protocol/guard.js';
import { BIRTH_FILE, CONFIG_FILE, layoutOf } from '../protocol/layout.js';
import type { Credentials, UserOptions } from '../protocol/users.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import type { RenderedFile } from './desired.js';
import { renderFiles } from './desired.js';
import { readFolders } from './folder.js';
import { seeRestore } from './restore/journal.js';
import type { World } from './world.js';

const FOLDER_MODE = 0o700;
const INCARNATION_BYTES = 16;

export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

export async function renderInstance(
  world: World,
  environment: ConfiguredEnvironment,
  spec: InstanceSpec,
  credentials: Credentials,
  options: UserOptions = {},
): Promise<void> {
  const owner = await makeFolders(world, spec);
  const placement = world.runtime.placement(spec, environment.vaultPort);
  const render = (fenced: boolean): readonly RenderedFile[] =>
    renderFiles(environment, spec.id.role, placement, credentials, { fenced });
  // Only the recovery that put up a fence, or its successor, takes it down.
  const fenced = options.fenced ?? readFolders(spec, render(false)).fenced;
  const files = render(fenced);
  const { drifted, readableByOthers } = readFolders(spec, files);
  for (const file of files) {
    if (drifted.includes(file.name) || readableByOthers.includes(file.name)) {
      await writeFileWhole(join(spec.configDir, file.name), file.content, { mode: file.mode, owner });
    }
  }
  await handOver(spec.configDir, owner);
  // Behind a fence, or between two copies, whoever put it so says what the data are.
  const decided = !fenced && seeRestore(world.configuration.dataRoot, environment.name) === undefined;
  if (spec.id.role === 'vault' && decided) await vouch(world, environment, spec, owner);
}

/** An existing data folder keeps its owner; the configuration belongs to whoever owns the data. */
async function makeFolders(world: World, spec: InstanceSpec): Promise<Owner | undefined> {
  const root = dirname(spec.dataDir);
  await makeFolder(root, { mode: 0o755 });
  await makeFolder(spec.dataDir, { mode: FOLDER_MODE, owner: world.runtime.newFolderOwner() });
  const owner = await ownerToBe(spec.dataDir);
  await makeFolder(dirname(spec.configDir), { mode: 0o755 });
  await makeFolder(spec.configDir, { mode: FOLDER_MODE, owner });
  return owner;
}

/**
 * To whom files of an instance must belong, so that its server may read them: the server runs as the owner of its data
 * folder. Only root can see to that; everybody else's files are their own.
 */
export async function ownerToBe(dataDir: string): Promise<Owner | undefined> {
  return process.getuid?.() === 0 ? ownerOf(dataDir) : undefined;
}

/** The data folder may have been given to another user since. Never through a link, which that user could have made. */
async function handOver(configDir: string, owner: Owner | undefined): Promise<void> {
  if (owner === undefined) return;
  const names = Object.values(CONFIG_FILE).map((name) => join(configDir, name));
  for (const path of [configDir, ...names]) {
    const stats = await lstatIfThere(path);
    if (stats === undefined || (stats.uid === owner.uid && stats.gid === owner.gid)) continue;
    await lchown(path, owner.uid, owner.gid);
  }
}

async function lstatIfThere(path: string): Promise<Owner | undefined> {
  try {
    return await lstat(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/** Undefined for a folder that is not there. */
async function ownerOf(path: string): Promise<Owner | undefined> {
  try {
    const { uid, gid } = await stat(path);
    return { uid, gid };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}

/**
 * Gives a new vault its birth and its mark, and data without a mark one. The birth comes first: killed in between, the
 * next run finds a folder without a mark and goes on; the other way round it would find lost data.
 */
async function vouch(
  world: World,
  environment: ConfiguredEnvironment,
  spec: InstanceSpec,
  owner: Owner | undefined,
): Promise<void> {
  const { mark, vault, hasData } = readFolders(spec, undefined);
  const verdict = judgeVault(mark, vault);
  if (verdict.state === 'clear' || verdict.state === 'held') return;
  if (vault.aof === undefined) {
    if (hasData) throw wouldIgnoreSnapshot(environment, spec);
    refuseIfOperationalHasData(world, environment);
  }
  const incarnation = vault.birth?.incarnation ?? newIncarnation();
  if (vault.birth === undefined) {
    await writeBirth(spec, { state: vault.aof === undefined ? 'unborn' : 'born', incarnation }, owner);
  }
  await writeMark(spec, { incarnation, seq: vault.aof?.seq ?? 0, bytes: vault.aof?.bytes ?? 0 }, owner);
}

export function newIncarnation(): string {
  return randomBytes(INCARNATION_BYTES).toString('hex');
}

export async function writeBirth(
  spec: Pick<InstanceSpec, 'dataDir'>,
  birth: Parameters<typeof renderBirth>[0],
  owner: Owner | undefined,
): Promise<void> {
  await writeFileWhole(join(spec.dataDir, BIRTH_FILE), renderBirth(birth), { mode: 0o600, owner });
}

export async function writeMark(
  spec: Pick<InstanceSpec, 'configDir'>,
  mark: Mark,
  owner: Owner | undefined,
): Promise<void> {
  await writeFileWhole(join(spec.configDir, CONFIG_FILE.mark), renderMark(mark), { mode: 0o600, owner });
}

/** With its append-only file on, Redis starts empty beside a snapshot, without a word. */
function wouldIgnoreSnapshot(environment: ConfiguredEnvironment, spec: InstanceSpec): Nexus3Error {
  return new Nexus3Error('LAST_COPY', `The vault of ${environment.name} would start empty beside a snapshot.`, {
    evidence: [`there is ${join(spec.dataDir, 'dump.rdb')}, but no append-only file, which alone a vault loads`],
    hint: 'Turn it into an append-only file first (start redis-server on a copy with appendonly no, then CONFIG SET appendonly yes), or move it away to start empty.',
  });
}

/** The last look before a vault is allowed to start empty. */
function refuseIfOperationalHasData(world: World, environment: ConfiguredEnvironment): void {
  const layout = layoutOf(world.configuration.dataRoot, environment.name);
  const operational = readFolders(
    { dataDir: layout.data.operational, configDir: layout.config.operational },
    undefined,
  );
  if (!operational.hasData) return;
  throw new Nexus3Error('LAST_COPY', `The vault of ${environment.name} has no data, but its operational has.`, {
    evidence: [`a snapshot lies in ${layout.data.operational}`],
    hint: `Rebuild the vault from it: nexus3 recover ${environment.name} --vault`,
  });
}
