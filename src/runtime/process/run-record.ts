/**
 * What is known of one local server, in `{dataRoot}/{env}/run/{role}.json`, so that the next command finds it again.
 * Written whole and always under the instance's lock; read without it.
 */
import { readFileSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { systemErrorCode } from '../../errors.js';
import { makeFolder, writeFileWhole } from '../../files.js';
import type { ProcessIdentity } from '../../process-identity.js';
import { parseProcessIdentity } from '../../process-identity.js';
import type { InstanceSpec } from '../runtime.js';

const FORMAT = 1;

export interface RunRecord {
  /** What was last asked for. Wanted, but not there: it ended by itself. */
  readonly wanted: 'running' | 'stopped';
  /** The server of the present or last run. */
  readonly server: ProcessIdentity | undefined;
  /**
   * The command that is about to start a server, from before the server exists until `server` is known. Should that
   * command die in between, the server is found by the file that it holds open (see server-search.ts).
   */
  readonly startedBy: ProcessIdentity | undefined;
  /** Where the server of that run listens. */
  readonly port: number;
  readonly bind: string;
  /** ISO 8601 */
  readonly startedAt: string | undefined;
  /** Only where the command that started it saw it end; nobody waits for a server later. */
  readonly exitCode: number | undefined;
}

export interface RunFiles {
  readonly folder: string;
  readonly record: string;
  readonly log: string;
  /** The log before it was rotated. */
  readonly oldLog: string;
  /** Locked by the command that changes the instance. */
  readonly lock: string;
  /** Held open by the server as descriptor 3, and by the command that starts it until it listens. */
  readonly tether: string;
}

export function runFiles(spec: InstanceSpec): RunFiles {
  const folder = join(dirname(spec.dataDir), 'run');
  const file = (extension: string): string => join(folder, `${spec.id.role}.${extension}`);
  return {
    folder,
    record: file('json'),
    log: file('log'),
    oldLog: file('log.1'),
    lock: file('lock'),
    tether: file('server'),
  };
}

export function newRecord(spec: InstanceSpec): RunRecord {
  return {
    wanted: 'stopped',
    server: undefined,
    startedBy: undefined,
    port: spec.port,
    bind: spec.bind,
    startedAt: undefined,
    exitCode: undefined,
  };
}

/**
 * Undefined when the instance does not exist. A record that cannot be understood reads as one of a server that may be
 * running: it is then looked for, rather than started a second time. Synchronous: a check reads hundreds of them.
 */
export function readRecord(spec: InstanceSpec): RunRecord | undefined {
  let text: string;
  try {
    text = readFileSync(runFiles(spec).record, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes(systemErrorCode(error) ?? '')) return undefined;
    throw error;
  }
  return parseRecord(text) ?? { ...newRecord(spec), wanted: 'running', startedBy: UNKNOWN_PROCESS };
}

/** Never alive: it belongs to no boot. */
export const UNKNOWN_PROCESS: ProcessIdentity = { pid: 1, startTicks: -1, bootId: 'unknown' };

export function parseRecord(text: string): RunRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { format, wanted, server, startedBy, port, bind, startedAt, exitCode } = value as Record<string, unknown>;
  if (format !== FORMAT || (wanted !== 'running' && wanted !== 'stopped')) return undefined;
  if (typeof port !== 'number' || typeof bind !== 'string') return undefined;
  return {
    wanted,
    server: parseProcessIdentity(server),
    startedBy: parseProcessIdentity(startedBy),
    port,
    bind,
    startedAt: typeof startedAt === 'string' ? startedAt : undefined,
    exitCode: typeof exitCode === 'number' ? exitCode : undefined,
  };
}

/**
 * Only for one who holds the instance's lock.
 * @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE
 */
export async function writeRecord(spec: InstanceSpec, record: RunRecord): Promise<void> {
  const files = runFiles(spec);
  await makeFolder(files.folder, { mode: 0o700 });
  await removeHalfWritten(files);
  await writeFileWhole(files.record, `${JSON.stringify({ format: FORMAT, ...record })}\n`, { mode: 0o600 });
}

/** What a command that was killed while it wrote the record has left beside it. */
export async function removeHalfWritten({ folder, record }: RunFiles): Promise<void> {
  const prefix = `${basename(record)}.`;
  for (const name of await readdir(folder)) {
    if (name.startsWith(prefix)) await rm(join(folder, name), { force: true });
  }
}
