/**
 * Fetches what lets the npm package's redis-server run on an older Debian: the libraries of Debian 13, started through
 * their own dynamic loader. No root, nothing on the system changes. It is built in a folder beside, proven there, and
 * renamed whole into place; two at once wait for one another, and one killed at any instant is simply run again.
 */
import { copyFile, lstat, mkdir, readdir, readlink, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error } from '../../../errors.js';
import { makeFolder, syncFolder } from '../../../files.js';
import { lock } from '../../../lock.js';
import type { Progress } from '../../../progress.js';
import { downloadPackages, FETCH_HINT, unpackPackage } from './apt-download.js';
import { withoutUserInfo } from './apt-archives.js';
import type { Candidate, Engine, EngineOptions, Surroundings } from './engine.js';
import { LOADER, onLibraries, privateRuntime, runtimeFolder } from './strategy-private-runtime.js';
import { lookAround } from './surroundings.js';
import { tryCandidate } from './trial.js';
import { VerdictCache } from './verdict-cache.js';

/** The release whose C library the npm package's redis-server wants (glibc 2.38 or newer). */
const SUITE = 'trixie';
/** What redis-server and the graph module are linked with, and what those need in turn. */
const PACKAGES = [
  'libc6',
  'libstdc++6',
  'libgcc-s1',
  'libssl3t64',
  'libgomp1',
  'libsystemd0',
  'libcap2',
  'libgcrypt20',
  'liblzma5',
  'libzstd1',
  'liblz4-1',
  'libgpg-error0',
];
const LIBRARY_FOLDER = join('usr', 'lib', 'x86_64-linux-gnu');
/** Longer than one whole fetch may take, in milliseconds. */
const OTHER_FETCH_WAIT_MS = 600_000;
const WORK_PREFIX = 'fetch-';

export interface FetchResult {
  readonly engine: Engine;
  /** False: a working one was there already. */
  readonly fetched: boolean;
}

/** @throws Nexus3Error ENGINE_NOT_FOUND with the reason, DISK_FULL, FILE_NOT_WRITABLE, LOCK_HELD */
export async function fetchPrivateEngine(options: EngineOptions, progress: Progress): Promise<FetchResult> {
  const surroundings = lookAround(options);
  const { server, modulePath } = whatToRun(surroundings);
  const home = surroundings.engineHome;
  await makeFolder(home, { mode: 0o755 });
  const held = await lock(
    home,
    'engine fetch',
    (holder) => {
      progress.note(`waiting for ${holder}`);
    },
    OTHER_FETCH_WAIT_MS,
  );
  try {
    const present = await presentEngine(surroundings);
    if (present !== undefined) return { engine: present, fetched: false };
    return { engine: await fetchLocked(home, server, modulePath, progress), fetched: true };
  } finally {
    await held[Symbol.asyncDispose]();
  }
}

async function fetchLocked(
  home: string,
  server: string,
  modulePath: string | undefined,
  progress: Progress,
): Promise<Engine> {
  await removeLeftovers(home);
  const work = join(home, `${WORK_PREFIX}${String(process.pid)}`);
  try {
    await makeFolder(work, { mode: 0o755 });
    const libraries = await buildLibraries(work, progress);
    progress.step('proving that it carries the graph module');
    const engine = await prove(onLibraries(libraries, server, modulePath));
    await putInPlace(libraries, runtimeFolder(home));
    const candidate = onLibraries(runtimeFolder(home), server, modulePath);
    const { kind, version, graphModule } = engine;
    await new VerdictCache(home).put(candidate, { ok: true, kind, version, graphModule });
    progress.done(`a private engine, ${kind} ${version}, is in ${runtimeFolder(home)}`);
    return { ...engine, command: candidate.command };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function whatToRun({ npmServer, module }: Surroundings): { server: string; modulePath: string | undefined } {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw cannot(`it is for linux-x64, and this is ${process.platform}-${process.arch}`);
  }
  if ('missing' in npmServer) throw cannot(npmServer.missing);
  if ('missing' in module) throw cannot(module.missing);
  return { server: npmServer.path, modulePath: module.path };
}

function cannot(why: string): Nexus3Error {
  return new Nexus3Error('ENGINE_NOT_FOUND', `A private engine cannot be fetched: ${why}.`, { hint: FETCH_HINT });
}

/** The one in place, if it works. */
async function presentEngine(surroundings: Surroundings): Promise<Engine | undefined> {
  const proposal = privateRuntime.propose(surroundings);
  const [candidate] = 'why' in proposal ? [] : proposal.candidates;
  if (candidate === undefined) return undefined;
  const verdict = await tryCandidate(candidate);
  return verdict.ok ? engineFrom(candidate, verdict) : undefined;
}

async function prove(candidate: Candidate): Promise<Engine> {
  const verdict = await tryCandidate(candidate);
  if (verdict.ok) return engineFrom(candidate, verdict);
  throw new Nexus3Error('ENGINE_NOT_FOUND', 'The libraries were fetched, but the engine does not work on them.', {
    evidence: [verdict.why],
    hint: FETCH_HINT,
  });
}

function engineFrom(
  { command, modulePath }: Candidate,
  verdict: Omit<Engine, 'command' | 'modulePath' | 'strategy'>,
): Engine {
  const { kind, version, graphModule } = verdict;
  return { command, modulePath, kind, version, graphModule, strategy: privateRuntime.name };
}

/** Only whoever holds the lock comes here, so every such folder, and every half-written file, is of one that was killed. */
async function removeLeftovers(home: string): Promise<void> {
  for (const name of await readdir(home)) {
    if (name.startsWith(WORK_PREFIX) || name.endsWith('.new'))
      await rm(join(home, name), { recursive: true, force: true });
  }
}

/** Downloads, unpacks, and keeps the libraries alone. */
async function buildLibraries(work: string, progress: Progress): Promise<string> {
  progress.step(`downloading ${String(PACKAGES.length)} Debian packages (about 6 MB)`);
  const debs = await downloadPackages({
    workFolder: work,
    suite: SUITE,
    packages: PACKAGES,
    onTry: (uri) => {
      progress.note(`from ${withoutUserInfo(uri)}`);
    },
  });
  if (debs.length < PACKAGES.length) {
    throw cannot(`of ${String(PACKAGES.length)} packages, ${String(debs.length)} came`);
  }
  progress.step('unpacking');
  const root = join(work, 'root');
  await mkdir(root);
  for (const deb of debs) await unpackPackage(deb, root);
  const libraries = join(work, 'libraries');
  await mkdir(libraries);
  await keepFiles(join(root, LIBRARY_FOLDER), libraries);
  await lstat(join(libraries, LOADER));
  return libraries;
}

/** Files and links of one folder; its subfolders (character sets, crypto engines) are not needed. */
async function keepFiles(from: string, to: string): Promise<void> {
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
    else if (entry.isFile()) await copyFile(source, target);
  }
}

/** One that is there does not work, else we would not be here: it makes room, and goes with the work folder. */
async function putInPlace(libraries: string, target: string): Promise<void> {
  await rename(target, join(libraries, '..', 'broken')).catch(() => undefined);
  await rename(libraries, target);
  await syncFolder(join(target, '..'));
}
