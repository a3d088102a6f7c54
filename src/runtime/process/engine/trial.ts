/**
 * A trial of a candidate: is it an engine, is it new enough, and does the graph module load into it? The module is
 * really loaded, into a server that listens on nothing but a socket in a folder of its own, because a missing library
 * (libssl3, libgomp1, a newer C library) shows only then.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { EngineKind } from '../../../protocol/engine-record.js';
import { isBelow } from './version.js';
import type { Candidate, Verdict } from './engine.js';
import { ENGINE_VERSION_MIN } from './engine.js';

export const VERSION_TIMEOUT_MS = 10_000;
export const LOAD_TIMEOUT_MS = 20_000;
const CONNECT_POLL_MS = 25;
const OUTPUT_CHARS_MAX = 16_384;
const WHY_CHARS_MAX = 300;
/** A unix socket's path has room for 107 bytes (unix(7)). */
const SOCKET_PATH_BYTES_MAX = 107;

const run = promisify(execFile);

export async function tryCandidate(candidate: Candidate): Promise<Verdict> {
  const banner = await askVersion(candidate.command);
  if (!banner.ok) return banner;
  const { kind, version } = banner;
  if (isBelow(version, ENGINE_VERSION_MIN)) {
    return refused(`it is ${kind} ${version}, and the graph module needs ${ENGINE_VERSION_MIN} or newer`);
  }
  if (candidate.modulePath === undefined) return banner;
  const loaded = await tryModule(candidate.command, candidate.modulePath);
  return loaded.ok ? { ...loaded, kind, version } : loaded;
}

function refused(why: string, transient = false): Verdict & { readonly ok: false } {
  const line = why.replace(/\s+/g, ' ').trim();
  return { ok: false, why: line.length > WHY_CHARS_MAX ? `${line.slice(0, WHY_CHARS_MAX)}…` : line, transient };
}

async function askVersion(command: readonly string[]): Promise<Verdict> {
  const [program = '', ...args] = command;
  try {
    const { stdout } = await run(program, [...args, '--version'], {
      timeout: VERSION_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      maxBuffer: OUTPUT_CHARS_MAX,
      env: minimalEnvironment(),
    });
    return parseBanner(stdout) ?? refused('its --version is not that of a redis-server or valkey-server');
  } catch (error) {
    const { killed, stderr, message } = error as Error & { killed?: boolean; stderr?: string };
    if (killed === true) return refused(`--version did not answer within ${String(VERSION_TIMEOUT_MS)} ms`, true);
    return refused(startFailure(firstLine(stderr ?? '') || firstLine(message)));
  }
}

/** `Redis server v=8.2.3 sha=…` or `Valkey server v=8.0.1 sha=…` */
export function parseBanner(text: string): (Verdict & { readonly ok: true }) | undefined {
  const match = /^(Redis|Valkey) server v=(\d+\.\d+\.\d+\S*)/.exec(text);
  if (match === null) return undefined;
  const kind: EngineKind = match[1] === 'Valkey' ? 'valkey' : 'redis';
  return { ok: true, kind, version: match[2] ?? '', graphModule: 0 };
}

type Loaded = { readonly ok: true; readonly graphModule: number } | (Verdict & { readonly ok: false });

async function tryModule(command: readonly string[], modulePath: string): Promise<Loaded> {
  const folder = await mkdtemp(join(shortTemporaryFolder(), 'nexus3-trial-'));
  const socket = join(folder, 's');
  const [program = '', ...args] = command;
  const server = spawn(
    program,
    [...args, '--port', '0', '--unixsocket', socket, '--dir', folder, '--save', '', '--loadmodule', modulePath],
    { stdio: ['ignore', 'pipe', 'pipe'], env: minimalEnvironment(), cwd: folder },
  );
  let output = '';
  const collect = (chunk: Buffer): void => {
    output = (output + chunk.toString('utf8')).slice(-OUTPUT_CHARS_MAX);
  };
  server.stdout.on('data', collect);
  server.stderr.on('data', collect);
  const ended = new Promise<void>((resolve) => {
    server.once('close', () => {
      resolve();
    });
    server.once('error', () => {
      resolve();
    });
  });
  const run = { hasEnded: false };
  void ended.then(() => {
    run.hasEnded = true;
  });
  try {
    const giveUpAt = Date.now() + LOAD_TIMEOUT_MS;
    while (Date.now() < giveUpAt) {
      if (run.hasEnded) return refused(`the graph module does not load: ${loadFailure(output)}`);
      const graphModule = await askModule(socket, giveUpAt);
      if (graphModule !== undefined) return { ok: true, graphModule };
      await Promise.race([sleep(CONNECT_POLL_MS), ended]);
    }
    return refused(`the graph module was not loaded within ${String(LOAD_TIMEOUT_MS)} ms`, true);
  } finally {
    server.kill('SIGKILL');
    await ended;
    await rm(folder, { recursive: true, force: true });
  }
}

/** The module's number from MODULE LIST; undefined while the server cannot be asked. */
async function askModule(socketPath: string, giveUpAt: number): Promise<number | undefined> {
  const socket = connect(socketPath);
  let reply = '';
  try {
    await once(socket, 'connect');
    socket.setTimeout(Math.max(1, giveUpAt - Date.now()), () => socket.destroy());
    socket.write('MODULE LIST\r\nPING\r\n');
    for await (const chunk of socket) {
      reply += (chunk as Buffer).toString('latin1');
      if (reply.endsWith('+PONG\r\n') || reply.length > OUTPUT_CHARS_MAX) break;
    }
  } catch {
    return undefined;
  } finally {
    socket.destroy();
  }
  const version = /\r\ngraph\r\n[\s\S]*?\r\nver\r\n:(\d+)\r\n/.exec(reply)?.[1];
  return version === undefined ? undefined : Number(version);
}

/** The line of the server's output that says why. */
function loadFailure(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '');
  const telling =
    lines.find((line) => /failed to load: |requires redis-server|cannot open shared object/i.test(line)) ??
    lines.at(-1);
  return (telling ?? 'it ended without a word').replace(/^\d+:\w \S+ \S+ \S+ \S+ \S+ /, '');
}

/** The dynamic loader's complaints, without the paths that it repeats. */
function startFailure(line: string): string {
  const version = /version [`']([A-Z]+_[\d.]+)' not found/.exec(line)?.[1];
  if (version !== undefined) return `this machine's C or C++ library is too old for it (it wants ${version})`;
  const library = /loading shared libraries: (\S+):/.exec(line)?.[1];
  if (library !== undefined) return `it needs ${library}, which is not installed`;
  return `it does not start here: ${line}`;
}

function firstLine(text: string): string {
  return (
    text
      .split('\n')
      .find((line) => line.trim() !== '')
      ?.trim() ?? ''
  );
}

function shortTemporaryFolder(): string {
  const folder = tmpdir();
  return Buffer.byteLength(join(folder, 'nexus3-trial-XXXXXX', 's')) > SOCKET_PATH_BYTES_MAX ? '/tmp' : folder;
}

function minimalEnvironment(): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LANG: 'C', LC_ALL: 'C' };
}
