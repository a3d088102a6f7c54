/** Starts one detached local server, and sees it listen or end. */
import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { open, stat } from 'node:fs/promises';
import { constants } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error, systemErrorCode, writeFailure } from '../../errors.js';
import type { ProcessIdentity } from '../../process-identity.js';
import { identify } from '../../process-identity.js';
import { instanceKey } from '../../protocol/environment.js';
import { CONFIG_FILE } from '../../protocol/layout.js';
import { ENGINE_EXIT, HELD_EXIT } from '../../protocol/start-script.js';
import { describePortHolder, findPortHolder, isListening, listenersOn } from '../port-holder.js';
import type { InstanceSpec } from '../runtime.js';
import { openLog, readTail } from './log-file.js';
import { runFiles } from './run-record.js';
import { tetherOf } from './server-search.js';

/** A server listens before it loads its data, so this is the time to load the module and the users. */
export const LISTEN_WAIT_MS = 30_000;
const LISTEN_POLL_MS = 15;
const EVIDENCE_LINES_MAX = 10;
/** As a shell reports a process that a signal ended. */
const SIGNAL_EXIT_BASE = 128;

export type StartOutcome =
  | { readonly state: 'listening' }
  /** The start script refused on purpose: 77 or 78, see start-script.ts. */
  | { readonly state: 'held'; readonly exitCode: number }
  | { readonly state: 'failed'; readonly exitCode: number | undefined; readonly error: Nexus3Error };

/** Filled in when the child ends. */
interface Run {
  end?: RunEnd;
}

interface RunEnd {
  readonly exitCode: number | undefined;
  readonly cause?: Error;
}

/** Before anything is started. @throws Nexus3Error PORT_TAKEN */
export function refuseTakenPort(spec: InstanceSpec): void {
  if (listenersOn(spec.port, spec.bind).length > 0) throw portTaken(spec);
}

/**
 * Spawns `sh {configDir}/start`, which becomes the server through `exec`: the pid stays. The session is its own, so
 * neither Ctrl-C nor a closed terminal reaches it.
 * @param onStarted told the identity at once, to write it down.
 * @throws whatever `onStarted` throws; the server then goes on and is found again by its tether.
 */
export async function startServer(
  spec: InstanceSpec,
  onStarted: (server: ProcessIdentity) => Promise<void>,
): Promise<StartOutcome> {
  const files = runFiles(spec);
  const log = await openLog(files);
  try {
    const tether = await open(files.tether, 'a', 0o600).catch((error: unknown) => {
      throw writeFailure(files.tether, error);
    });
    const owner = await ownerOf(spec.dataDir);
    const run: Run = {};
    try {
      const child = spawn('/bin/sh', [join(spec.configDir, CONFIG_FILE.start)], {
        detached: true,
        cwd: '/',
        env: serverEnvironment(),
        stdio: ['ignore', log.file.fd, log.file.fd, tether.fd],
        ...owner,
      });
      // At once: a server that ends before anyone listens for its end would be waited for in vain.
      noteEnd(child, run);
      return await watch(spec, child.pid, run, log.size, onStarted);
    } finally {
      await tether.close();
    }
  } finally {
    await log.file.close();
  }
}

function noteEnd(child: ChildProcess, run: Run): void {
  child.once('exit', (code, signal) => {
    run.end = { exitCode: exitCodeOf(code, signal) };
  });
  child.once('error', (cause) => {
    run.end ??= { exitCode: undefined, cause };
  });
  // The server outlives this command, which must not wait for it.
  child.unref();
}

async function watch(
  spec: InstanceSpec,
  pid: number | undefined,
  run: Run,
  logOffset: number,
  onStarted: (server: ProcessIdentity) => Promise<void>,
): Promise<StartOutcome> {
  const server = pid === undefined ? undefined : identify(pid);
  if (server !== undefined) await onStarted(server);

  const giveUpAt = Date.now() + LISTEN_WAIT_MS;
  while (Date.now() < giveUpAt) {
    if (server !== undefined && isListening(server.pid, spec.port)) {
      return { state: 'listening' };
    }
    await sleep(LISTEN_POLL_MS);
    if (run.end !== undefined) return judgeEnd(spec, run.end, await readTail(runFiles(spec).log, logOffset));
  }
  const lines = await readTail(runFiles(spec).log, logOffset);
  const why = `runs, but has not listened on port ${String(spec.port)} within ${String(LISTEN_WAIT_MS / 1000)} s`;
  return { state: 'failed', exitCode: undefined, error: startFailed(spec, why, lines) };
}

function judgeEnd(spec: InstanceSpec, { exitCode, cause }: RunEnd, lines: readonly string[]): StartOutcome {
  if (exitCode === HELD_EXIT || exitCode === ENGINE_EXIT) return { state: 'held', exitCode };
  if (lines.some((line) => /address already in use/i.test(line))) {
    return { state: 'failed', exitCode, error: portTaken(spec) };
  }
  const why = cause === undefined ? `ended at once (exit code ${String(exitCode)})` : `did not start: ${cause.message}`;
  return { state: 'failed', exitCode, error: startFailed(spec, why, lines) };
}

function portTaken(spec: InstanceSpec): Nexus3Error {
  const holder = findPortHolder(spec.port, spec.bind) ?? { port: spec.port, pid: undefined, command: undefined };
  const tether = holder.pid === undefined ? undefined : tetherOf(holder.pid);
  const ours = tether !== undefined && /\/run\/(?:vault|operational)\.server$/.test(tether);
  return new Nexus3Error('PORT_TAKEN', `${instanceKey(spec.id)} cannot start: ${describePortHolder(holder)}.`, {
    evidence: ours
      ? [`that is an instance of nexus3 under another data root: ${tether.replace(/\/run\/[^/]*$/, '')}`]
      : [],
    hint: 'End what holds the port, or give the environment another one in nexus3.yaml.',
  });
}

function startFailed(spec: InstanceSpec, why: string, lines: readonly string[]): Nexus3Error {
  return new Nexus3Error('START_FAILED', `${instanceKey(spec.id)} ${why}.`, {
    evidence: lines.slice(-EVIDENCE_LINES_MAX),
    hint: `Read the log (nexus3 logs ${spec.id.env}), then: nexus3 check ${spec.id.env}`,
  });
}

/** Nothing of the caller's environment but what a program needs to be found; above all no secret. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  const { PATH, TZ } = process.env;
  return { PATH: PATH ?? '/usr/local/bin:/usr/bin:/bin', LANG: 'C', ...(TZ === undefined ? {} : { TZ }) };
}

/** An existing data folder keeps its owner, and the instance runs as that; only root can see to it. */
export async function ownerOf(dataDir: string): Promise<{ readonly uid?: number; readonly gid?: number }> {
  if (process.getuid?.() !== 0) return {};
  try {
    const { uid, gid } = await stat(dataDir);
    return uid === 0 ? {} : { uid, gid };
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return {};
    throw error;
  }
}

/** As a shell says it. */
export function exitCodeOf(code: number | null, signal: NodeJS.Signals | null): number {
  return code ?? SIGNAL_EXIT_BASE + (signal === null ? 0 : constants.signals[signal]);
}
