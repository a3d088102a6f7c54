/**
 * A private Docker engine for tests: own socket, data, containerd and pid file, all in one folder under /tmp, with the
 * stand-in images loaded. Several can run at once, beside the machine's own. Everything goes when it is stopped.
 *
 * The folder is all that is needed to find, restart or stop an engine; so one whose owner was killed is swept away by
 * the next start.
 */
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { dockerJson, dockerLoad } from './docker-api.js';
import { findDockerd } from './docker-install.js';
import { FALKORDB_IMAGE, imageArchive, NO_MODULE_IMAGE, OLD_REDIS_IMAGE } from './docker-images.js';
import { networkArguments } from './docker-network.js';
import { EngineUnavailable } from './docker-unavailable.js';
import { descendantsOf, endProcess, isSameProcess, mentioning, processStart, unmountBelow } from './processes.js';

const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/** Short, because sockets below it may have at most 107 bytes. */
const FOLDER_PREFIX = join(tmpdir(), 'nexus3-docker-');
const CACHE_DIR = fileURLToPath(new URL('../../.cache', import.meta.url));

export interface TestEngine {
  /** `unix:///…`, as DOCKER_HOST takes it. */
  readonly host: string;
  readonly socketPath: string;
  /** Everything of this engine; an existing folder of tests may live in it too. */
  readonly folder: string;
}

/**
 * Starts an engine, installing Debian's docker.io first where it is missing and this is root.
 * @throws EngineUnavailable where there can be none
 */
export async function startTestEngine(note: (text: string) => void = () => undefined): Promise<TestEngine> {
  const dockerd = await findDockerd(note);
  await sweepOrphans();
  const archive = await imageArchive(CACHE_DIR, note);
  const folder = await mkdtemp(FOLDER_PREFIX);
  const engine = engineIn(folder);
  try {
    await writeFile(join(folder, 'owner'), `${String(process.pid)} ${processStart(process.pid) ?? ''}`);
    await writeFile(join(folder, 'daemon.json'), '{}');
    await writeFile(join(folder, 'setup.json'), JSON.stringify({ dockerd }));
    await launch(engine);
    await dockerLoad(engine.socketPath, archive);
  } catch (error) {
    const log = await readFile(join(folder, 'dockerd.log'), 'utf8').catch(() => '');
    await stopTestEngine(engine);
    throw new EngineUnavailable(`dockerd did not come up here: ${String(error)}\n${log.slice(-3000)}`);
  }
  return engine;
}

/** Gives an engine that runs already the images that tests need. */
export async function lendTestEngine(host: string, note: (text: string) => void): Promise<void> {
  const socketPath = host.replace(/^unix:\/\//, '');
  const images = JSON.stringify(await dockerJson(socketPath, 'GET', '/images/json'));
  if ([FALKORDB_IMAGE, NO_MODULE_IMAGE, OLD_REDIS_IMAGE].every((tag) => images.includes(`"${tag}"`))) return;
  await dockerLoad(socketPath, await imageArchive(CACHE_DIR, note));
}

function engineIn(folder: string): TestEngine {
  const socketPath = join(folder, 'docker.sock');
  return { host: `unix://${socketPath}`, socketPath, folder };
}

/**
 * Ends the engine and starts it again, as a reboot or an upgrade does. Its containers end with it, and come back as their
 * restart policies say. (Not so after a SIGKILL: Docker 20.10 then leaves running containers stopped, measured.)
 */
export async function restartTestEngine(engine: TestEngine): Promise<void> {
  await endDaemon(engine);
  await launch(engine);
}

/** Containers, networks, dockerd, containerd, mounts, folder: all of it. Safe to call twice. */
export async function stopTestEngine(engine: TestEngine): Promise<void> {
  if (!(await removeEverything(engine))) {
    // It was killed. Only an engine takes its networks away, so it lives once more for that.
    await endLeftovers(engine);
    // dockerd takes a zombie of that number for a containerd that runs.
    await rm(join(engine.folder, 'exec/containerd/containerd.pid'), { force: true });
    await launch(engine)
      .then(() => removeEverything(engine))
      .catch(() => undefined);
  }
  await endDaemon(engine);
  await endLeftovers(engine);
  await unmountBelow(engine.folder);
  await rm(engine.folder, { recursive: true, force: true });
}

/** Of an engine that was killed: containerd, its shims, and below them the containers' own processes. */
async function endLeftovers(engine: TestEngine): Promise<void> {
  const left = mentioning(engine.folder);
  for (const pid of [...left.flatMap(descendantsOf), ...left]) await endProcess(pid, 'SIGKILL', STOP_TIMEOUT_MS);
}

function engineArguments(folder: string): readonly string[] {
  return [
    // What this machine's own engine is configured with does not matter here.
    `--config-file=${join(folder, 'daemon.json')}`,
    `--host=unix://${join(folder, 'docker.sock')}`,
    `--data-root=${join(folder, 'data')}`,
    `--exec-root=${join(folder, 'exec')}`,
    `--pidfile=${join(folder, 'dockerd.pid')}`,
    '--log-level=warn',
  ];
}

async function launch(engine: TestEngine): Promise<void> {
  const setup = await readFile(join(engine.folder, 'setup.json'), 'utf8');
  const { dockerd } = JSON.parse(setup) as { readonly dockerd: string };
  const args = [...engineArguments(engine.folder), ...(await networkArguments())];
  await mkdir(join(engine.folder, 'exec'), { recursive: true });
  const log = await open(join(engine.folder, 'dockerd.log'), 'a');
  const child = spawn(dockerd, args, {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin:${dirname(dockerd)}` },
  });
  const ended = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => {
      reject(new Error(`dockerd ended with code ${String(code)}`));
    });
  });
  ended.catch(() => undefined);
  child.unref();
  await log.close();
  await Promise.race([ended, untilAnswering(engine.socketPath)]);
}

async function untilAnswering(socketPath: string): Promise<void> {
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      await dockerJson(socketPath, 'GET', '/version');
      return;
    } catch (error) {
      if (Date.now() > until) throw error;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }
}

async function endDaemon(engine: TestEngine): Promise<void> {
  const text = await readFile(join(engine.folder, 'dockerd.pid'), 'utf8').catch(() => '');
  const pid = Number(text);
  if (!Number.isInteger(pid) || pid <= 1 || !mentioning(engine.folder).includes(pid)) return;
  const helpers = descendantsOf(pid);
  await endProcess(pid, 'SIGTERM', STOP_TIMEOUT_MS);
  // containerd and docker-proxy die with dockerd, a moment later; a new dockerd must not meet them.
  for (const helper of helpers) await endProcess(helper, 'SIGTERM', STOP_TIMEOUT_MS);
}

/**
 * A removed network takes its bridge and firewall rules along; a stopped engine would leave them. False: the engine does
 * not answer.
 */
async function removeEverything({ socketPath }: TestEngine): Promise<boolean> {
  try {
    const containers = (await dockerJson(socketPath, 'GET', '/containers/json?all=1')) as { Id: string }[];
    await Promise.all(containers.map(({ Id }) => dockerJson(socketPath, 'DELETE', `/containers/${Id}?force=1&v=1`)));
    await dockerJson(socketPath, 'POST', '/networks/prune');
    return true;
  } catch {
    return false;
  }
}

/** Engines whose owner was killed before it could stop them. */
async function sweepOrphans(): Promise<void> {
  const parent = dirname(FOLDER_PREFIX);
  for (const name of await readdir(parent)) {
    const folder = join(parent, name);
    if (!folder.startsWith(FOLDER_PREFIX)) continue;
    const [pid, start] = (await readFile(join(folder, 'owner'), 'utf8').catch(() => '')).split(' ');
    if (pid === undefined || start === undefined || isSameProcess(Number(pid), start)) continue;
    await stopTestEngine(engineIn(folder));
  }
}
