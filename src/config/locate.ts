/** Where nexus3.yaml is looked for, and reading it within a bound. */
import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../errors.js';

export const CONFIG_FILE_NAME = 'nexus3.yaml';
export const SYSTEM_CONFIG_DIR = '/etc/nexus3';
/** A thousand environments with settings of their own take about a quarter of this. */
export const CONFIG_BYTES_MAX = 512 * 1024;

/** What the caller stands in: tests hand in another one than the process's own. */
export interface Surroundings {
  /** Absolute: the current folder, which relative paths begin at. */
  readonly cwd: string;
  /** Environment variables: `HOME`, `XDG_…`, `NEXUS3_…`. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function processSurroundings(): Surroundings {
  return { cwd: process.cwd(), env: process.env };
}

export function homeOf({ env }: Surroundings): string {
  return absolute(env['HOME']) ?? homedir();
}

/** `$XDG_CONFIG_HOME/nexus3`, by default `~/.config/nexus3`. */
export function userConfigDir(surroundings: Surroundings): string {
  return join(absolute(surroundings.env['XDG_CONFIG_HOME']) ?? join(homeOf(surroundings), '.config'), 'nexus3');
}

/** `$XDG_DATA_HOME/nexus3`, by default `~/.local/share/nexus3`. */
export function userDataDir(surroundings: Surroundings): string {
  return join(absolute(surroundings.env['XDG_DATA_HOME']) ?? join(homeOf(surroundings), '.local', 'share'), 'nexus3');
}

/** The XDG base directory specification: a relative path there is invalid and is ignored. */
function absolute(path: string | undefined): string | undefined {
  return path !== undefined && isAbsolute(path) ? path : undefined;
}

export interface FoundFile {
  /** Absolute. */
  readonly path: string;
  readonly text: string;
}

/**
 * The first that is there of: `--config`, `$NEXUS3_CONFIG`, the current folder, the XDG configuration folder,
 * /etc/nexus3. Undefined: none is, and none was named.
 * @throws Nexus3Error CONFIG_NOT_FOUND for a named file that is not there; CONFIG_INVALID for one that cannot be read.
 */
export async function findConfigFile(
  named: string | undefined,
  surroundings: Surroundings,
): Promise<FoundFile | undefined> {
  const fromEnvironment = surroundings.env['NEXUS3_CONFIG'];
  if (named !== undefined) return readNamed(resolve(surroundings.cwd, named), '--config');
  if (fromEnvironment !== undefined && fromEnvironment !== '') {
    return readNamed(resolve(surroundings.cwd, fromEnvironment), '$NEXUS3_CONFIG');
  }
  for (const folder of [surroundings.cwd, userConfigDir(surroundings), SYSTEM_CONFIG_DIR]) {
    const path = join(folder, CONFIG_FILE_NAME);
    const text = await readConfigFile(path);
    if (text !== undefined) return { path, text };
  }
  return undefined;
}

async function readNamed(path: string, by: string): Promise<FoundFile> {
  const text = await readConfigFile(path);
  if (text !== undefined) return { path, text };
  throw new Nexus3Error('CONFIG_NOT_FOUND', `There is no configuration file ${path}.`, {
    evidence: [`named by ${by}`],
    hint: `Correct ${by}, or write the file: \`nexus3 init --config ${path}\`.`,
  });
}

/** Undefined when it is not there. @throws Nexus3Error CONFIG_INVALID */
export async function readConfigFile(path: string): Promise<string | undefined> {
  let bytes: Buffer | undefined;
  try {
    bytes = await readBounded(path);
  } catch (error) {
    if (error instanceof Nexus3Error) throw error;
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    if (code === undefined) throw error;
    throw unreadable(
      path,
      `${code} on ${path}`,
      'Make it readable for the user who runs nexus3, or name another file.',
    );
  }
  if (bytes.length > CONFIG_BYTES_MAX) {
    throw unreadable(
      path,
      `larger than ${String(CONFIG_BYTES_MAX / 1024)} KiB`,
      'Is it the right file? Name another one with --config.',
    );
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw unreadable(path, 'not UTF-8 text', 'Save it as UTF-8, or name another file with --config.', error);
  }
}

/** At most one byte more than is allowed. Not blocking: the path may be a pipe that nobody writes to. */
async function readBounded(path: string): Promise<Buffer> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    const stat = await file.stat();
    if (!stat.isFile()) {
      throw unreadable(path, 'not a regular file', 'Name the file itself with --config.');
    }
    const buffer = Buffer.alloc(Math.min(stat.size, CONFIG_BYTES_MAX) + 1);
    let length = 0;
    while (length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    return buffer.subarray(0, length);
  } finally {
    await file.close();
  }
}

function unreadable(path: string, evidence: string, hint: string, cause?: unknown): Nexus3Error {
  return new Nexus3Error('CONFIG_INVALID', `${path} cannot be read as a configuration.`, {
    evidence: [evidence],
    hint,
    cause,
  });
}
