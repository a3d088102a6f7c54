/**
 * A server for a moment: it loads a copy in a folder of its own, is asked, and is gone, whatever happens. Nothing of the
 * environment's own instances is touched, and nothing is published.
 */
import { createHash, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, writeFailure } from '../errors.js';
import { makeFolder, writeFileWhole } from '../files.js';
import type { EngineVersion } from '../protocol/engine-record.js';
import { layoutOf } from '../protocol/layout.js';
import { renderScratchConf, renderScratchStart, renderScratchUsers } from '../protocol/scratch-conf.js';
import { Secret } from '../protocol/secret.js';
import type { ServerView } from '../redis/observation.js';
import type { Scratch, ScratchSpec } from '../runtime/runtime.js';
import { SCRATCH_FILE } from '../runtime/runtime.js';
import type { Owner } from './render.js';
import { ownerToBe } from './render.js';
import { whyScratchEnded } from './scratch-end.js';
import type { Admin, World } from './world.js';

/** How long a copy may take to load, in milliseconds: less than a scratch server may live. */
export const SCRATCH_LOAD_TIMEOUT_MS = 3_000_000;
const LOAD_POLL_MS = 40;
/**
 * A server that has not answered for so long is ended and started once more, in milliseconds: in about one start of a thousand
 * the graph module waits for itself for good as it loads its first graph (seen, FalkorDB 4.16.3: Globals_AddGraph). The second
 * one is given all the time, because one large graph takes longer than that, too.
 */
const SILENT_MS_MAX = 30_000;
const PASSWORD_BYTES = 24;
const NAME_HASH_CHARS = 8;
/** A crash report of the engine is some 500 lines long, and what went wrong stands at its beginning. */
const LOG_LINES = 1_000;

export interface ScratchContent {
  /**
   * Puts what is to be loaded into the folder: `dump.rdb`, or `appendonlydir`.
   * @param owner to whom the files must belong, so that the server may read them; undefined: whoever runs nexus3
   */
  prepare(dir: string, owner: Owner | undefined): Promise<void>;
  /** What is loaded is `appendonlydir`. The server opens its last file for appending: it must be a copy, never a link. */
  readonly appendOnly: boolean;
}

export interface LoadedScratch {
  readonly admin: Admin;
  /** Its folder on this host; gone when `use` has ended. */
  readonly dir: string;
  readonly engine: EngineVersion;
  /** From its start until it had loaded everything. */
  readonly loadMs: number;
}

/**
 * For whoever holds the repository's lock: there is one scratch server for each environment, and what an earlier run that
 * was killed has left of it is taken away first.
 * @throws Nexus3Error BACKUP_TOO_NEW, BACKUP_DAMAGED, DISK_FULL, FILE_NOT_WRITABLE, START_FAILED; whatever `use` throws
 */
export async function withScratch<T>(
  world: World,
  env: string,
  content: ScratchContent,
  use: (loaded: LoadedScratch) => Promise<T>,
): Promise<T> {
  await world.runtime.ready();
  const spec = scratchSpec(world, env);
  try {
    return await once(world, env, spec, content, SILENT_MS_MAX, use);
  } catch (error) {
    if (!(error instanceof Silent)) throw error;
    return await once(world, env, spec, content, Number.POSITIVE_INFINITY, use);
  } finally {
    // What went wrong first is what counts; a folder that is left is discarded by the next run.
    await discard(spec.dir).catch(() => undefined);
  }
}

/** It has not answered for too long. Never leaves this file. */
class Silent extends Error {}

async function once<T>(
  world: World,
  env: string,
  spec: ScratchSpec,
  content: ScratchContent,
  silentMs: number,
  use: (loaded: LoadedScratch) => Promise<T>,
): Promise<T> {
  await discard(spec.dir);
  const password = new Secret(randomBytes(PASSWORD_BYTES).toString('base64url'));
  await prepare(world, env, spec, content, password);
  return run(world, env, { spec, password, silentMs }, use);
}

interface Try {
  readonly spec: ScratchSpec;
  readonly password: Secret;
  readonly silentMs: number;
}

function scratchSpec({ configuration }: World, env: string): ScratchSpec {
  const { dataRoot, containerPrefix, image } = configuration;
  // Two data roots may have environments of one name on one Docker engine.
  const root = createHash('sha256').update(dataRoot).digest('hex').slice(0, NAME_HASH_CHARS);
  return { name: `${containerPrefix}-scratch-${env}-${root}`, dir: layoutOf(dataRoot, env).scratch, image };
}

async function prepare(
  world: World,
  env: string,
  spec: ScratchSpec,
  content: ScratchContent,
  password: Secret,
): Promise<void> {
  const layout = layoutOf(world.configuration.dataRoot, env);
  const owner = (await ownerToBe(layout.data.vault)) ?? world.runtime.newFolderOwner();
  await makeFolder(layout.root, { mode: 0o755 });
  await makeFolder(spec.dir, { mode: 0o700, owner });
  const placement = world.runtime.scratchPlacement(spec.dir);
  const { redisConf, usersAcl, start, socket } = SCRATCH_FILE;
  const options = { appendOnly: content.appendOnly, usersAcl, socket };
  for (const [name, text] of [
    [redisConf, renderScratchConf(placement, options)],
    [usersAcl, renderScratchUsers(password)],
    [start, renderScratchStart(placement, redisConf)],
  ] as const) {
    await writeFileWhole(join(spec.dir, name), text, { mode: 0o600, owner });
  }
  await content.prepare(spec.dir, owner);
}

async function run<T>(
  world: World,
  env: string,
  { spec, password, silentMs }: Try,
  use: (loaded: LoadedScratch) => Promise<T>,
): Promise<T> {
  const startedAt = performance.now();
  const scratch = await world.runtime.startScratch(spec);
  const end = (): PromiseLike<void> => scratch[Symbol.asyncDispose]();
  try {
    const { engine } = await untilLoaded(world, env, scratch, { password, silentMs });
    const loadMs = Math.round(performance.now() - startedAt);
    const result = await asked(world, env, scratch, password, (admin) => use({ admin, dir: spec.dir, engine, loadMs }));
    await end();
    return result;
  } catch (error) {
    // What went wrong first is what counts.
    await Promise.resolve(end()).catch(() => undefined);
    throw error;
  }
}

async function asked<T>(
  world: World,
  env: string,
  scratch: Scratch,
  password: Secret,
  use: (admin: Admin) => Promise<T>,
): Promise<T> {
  try {
    await using admin = await world.servers.admin({ path: scratch.socket }, password);
    return await use(admin);
  } catch (error) {
    if (!(error instanceof Nexus3Error) || error.code !== 'REDIS_UNREACHABLE') throw error;
    const exitCode = await scratch.exitCode();
    throw exitCode === undefined ? error : whyScratchEnded(env, exitCode, await scratch.logs(LOG_LINES));
  }
}

/** A server that loads one large graph answers nobody meanwhile: that is no reason to give up before the time is over. */
async function untilLoaded(
  world: World,
  env: string,
  scratch: Scratch,
  { password, silentMs }: Pick<Try, 'password' | 'silentMs'>,
): Promise<ServerView> {
  let answeredAt = world.clock.now().getTime();
  const giveUpAt = answeredAt + SCRATCH_LOAD_TIMEOUT_MS;
  const question = {
    address: { path: scratch.socket },
    adminPassword: password,
    directives: [],
    masterauth: undefined,
  };
  for (;;) {
    const view = await world.servers.probe(question);
    if (view.state === 'open') return view.server;
    const exitCode = view.state === 'loading' ? undefined : await scratch.exitCode();
    if (exitCode !== undefined) throw whyScratchEnded(env, exitCode, await scratch.logs(LOG_LINES));
    if (view.state !== 'unreachable') answeredAt = world.clock.now().getTime();
    if (world.clock.now().getTime() - answeredAt > silentMs) throw new Silent();
    if (view.state === 'locked' || world.clock.now().getTime() >= giveUpAt) {
      throw new Nexus3Error('START_FAILED', `The scratch server for ${env} did not come up.`, {
        evidence: [
          view.state === 'unreachable' || view.state === 'locked'
            ? view.detail
            : `it still loads after ${String(SCRATCH_LOAD_TIMEOUT_MS / 60_000)} minutes`,
          ...(await scratch.logs(3)),
        ],
        hint: 'Run the command again when this host has less to do; nothing was changed.',
      });
    }
    await world.clock.sleep(LOAD_POLL_MS);
  }
}

async function discard(dir: string): Promise<void> {
  try {
    await rm(dir, { recursive: true, force: true });
  } catch (error) {
    throw writeFailure(dir, error);
  }
}
