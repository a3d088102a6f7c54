/**
 * Which process is meant, in a way that a reused pid cannot fake: its pid, the clock tick at which the kernel started it
 * (`/proc/PID/stat`, field 22, see proc(5)) and the boot it belongs to (`/proc/sys/kernel/random/boot_id`). Read
 * synchronously, because /proc answers from memory.
 */
import { readFileSync } from 'node:fs';
import { systemErrorCode } from './errors.js';

export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks between the boot and the start of the process. */
  readonly startTicks: number;
  readonly bootId: string;
}

/** One look at a process. */
export interface ProcessStat {
  /** R, S, D, T (stopped), Z (zombie), … as in proc(5). */
  readonly state: string;
  /** The session; equal to the pid for a process that leads one. */
  readonly sessionId: number;
  readonly startTicks: number;
}

/** Fields after the command name, counted from 0: state is field 3 of proc(5), session 6, starttime 22. */
const STATE = 0;
const SESSION = 3;
const START_TIME = 19;

/**
 * The command name is in parentheses and may itself hold spaces and parentheses, so everything up to the *last* `)` is
 * left out. Undefined for what is not a stat line.
 */
export function parseProcessStat(text: string): ProcessStat | undefined {
  const end = text.lastIndexOf(')');
  if (end < 0) return undefined;
  const fields = text
    .slice(end + 1)
    .trim()
    .split(' ');
  const state = fields[STATE];
  const sessionId = Number(fields[SESSION] ?? Number.NaN);
  const startTicks = Number(fields[START_TIME] ?? Number.NaN);
  if (state === undefined || !Number.isSafeInteger(sessionId) || !Number.isSafeInteger(startTicks)) return undefined;
  return { state, sessionId, startTicks };
}

/** Undefined when there is no such process. */
export function readProcessStat(pid: number): ProcessStat | undefined {
  const text = readProc(`/proc/${String(pid)}/stat`);
  return text === undefined ? undefined : parseProcessStat(text);
}

/** Undefined when there is no such process, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const stat = readProcessStat(pid);
  if (stat === undefined || isEnded(stat)) return undefined;
  return { pid, startTicks: stat.startTicks, bootId: bootId() };
}

/** The very same process is there and has not ended; a zombie has. */
export function isAlive(identity: ProcessIdentity): boolean {
  return liveStat(identity) !== undefined;
}

/** The stat of the very same process while it lives. */
export function liveStat(identity: ProcessIdentity): ProcessStat | undefined {
  if (identity.bootId !== bootId()) return undefined;
  const stat = readProcessStat(identity.pid);
  return stat === undefined || stat.startTicks !== identity.startTicks || isEnded(stat) ? undefined : stat;
}

/**
 * Sends a signal to the very same process; false when it is not there any more. Between the look and the signal lie
 * microseconds in which the pid would have to be given away again.
 */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): boolean {
  if (!isAlive(identity)) return false;
  try {
    return process.kill(identity.pid, signal);
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return false;
    throw error;
  }
}

/** Reads what `ProcessIdentity` became in JSON. */
export function parseProcessIdentity(value: unknown): ProcessIdentity | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, startTicks, bootId: boot } = value as Record<string, unknown>;
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 1) return undefined;
  if (typeof startTicks !== 'number' || typeof boot !== 'string') return undefined;
  return { pid, startTicks, bootId: boot };
}

function isEnded(stat: ProcessStat): boolean {
  return stat.state === 'Z' || stat.state === 'X' || stat.state === 'x';
}

let knownBootId: string | undefined;

function bootId(): string {
  knownBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return knownBootId;
}

function readProc(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    // ESRCH: it ended between open and read.
    if (['ENOENT', 'ESRCH', 'EACCES'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
}
