/** The root key on disk: where it lies, who may read it, and how it comes to be. */
import { randomBytes } from 'node:crypto';
import { link, mkdir, open, readdir, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../errors.js';
import { syncFolder } from '../files.js';
import { readClosedFile } from './closed-file.js';
import { parseRootKey, RootKey, type RootKeyFault } from './root-key.js';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const FILE_NAME = 'root.key';

export interface RootKeyPlace {
  /** Environment variables: NEXUS3_ROOT_KEY_FILE, XDG_CONFIG_HOME. */
  readonly variables: Readonly<Record<string, string | undefined>>;
  /** Absolute path of nexus3.yaml where one is used. */
  readonly configurationFile: string | undefined;
}

/** `$NEXUS3_ROOT_KEY_FILE`, else beside nexus3.yaml, else in the XDG configuration folder. */
export function rootKeyPath({ variables, configurationFile }: RootKeyPlace): string {
  const named = variables['NEXUS3_ROOT_KEY_FILE'];
  if (named !== undefined && named !== '') return resolve(named);
  if (configurationFile !== undefined) return join(dirname(configurationFile), FILE_NAME);
  const xdg = variables['XDG_CONFIG_HOME'];
  // The XDG specification: a relative path is to be ignored.
  const folder = xdg?.startsWith('/') === true ? xdg : join(homedir(), '.config');
  return join(folder, 'nexus3', FILE_NAME);
}

/**
 * @param mayCreate make one when there is none: only `up` and `create`, and only where Locker holds nothing yet.
 * @throws Nexus3Error ROOT_KEY_MISSING, ROOT_KEY_UNSAFE, ROOT_KEY_INVALID; DISK_FULL, FILE_NOT_WRITABLE when creating
 */
export async function loadRootKey(path: string, mayCreate: boolean): Promise<RootKey> {
  const found = await readRootKey(path);
  if (found !== undefined) return found;
  if (!mayCreate) throw missing(path);
  await createRootKey(path);
  // Whoever came first: that one is the key.
  const created = await readRootKey(path);
  if (created === undefined) throw missing(path);
  return created;
}

/** Undefined: not there. */
export async function readRootKey(path: string): Promise<RootKey | undefined> {
  const file = readClosedFile(path, {
    what: 'root key',
    unsafe: (evidence, hint) => unsafe(path, evidence, hint),
    tooLarge: () => invalid(path, 'unknown-format'),
  });
  if (file === undefined) return undefined;
  const key = parseRootKey(file.text);
  if (typeof key === 'string') throw invalid(path, key);
  // A run that was killed between `link` and `rm` left a second name of this file.
  if (file.links > 1) await removeLeftovers(path);
  return key;
}

/**
 * Written whole under a name of its own, then linked to its place: `link` fails where there is a file already, so of two
 * creators one wins and both read the winner's.
 */
async function createRootKey(path: string): Promise<void> {
  const temporary = `${path}.${String(process.pid)}-${randomBytes(4).toString('hex')}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
    await removeLeftovers(path);
    const file = await open(temporary, 'wx', FILE_MODE);
    try {
      await file.writeFile(RootKey.generate().toText());
      await file.chmod(FILE_MODE);
      await file.sync();
    } finally {
      await file.close();
    }
    await link(temporary, path).catch((error: unknown) => {
      if (systemErrorCode(error) !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw writeFailure(path, error);
  } finally {
    // Its failure must not hide why creating failed.
    await rm(temporary, { force: true }).catch(() => undefined);
  }
  await syncFolder(dirname(path));
}

/** `root.key.PID-….new` of processes that are no more. */
async function removeLeftovers(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  for (const name of await readdir(dirname(path))) {
    const pid = /^(\d{1,10})-[0-9a-f]+\.new$/.exec(name.startsWith(prefix) ? name.slice(prefix.length) : '')?.[1];
    if (pid === undefined || isAlive(Number(pid))) continue;
    await rm(join(dirname(path), name), { force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) !== 'ESRCH';
  }
}

function missing(path: string): Nexus3Error {
  return new Nexus3Error('ROOT_KEY_MISSING', `There is no root key at ${path}.`, {
    evidence: [path],
    hint:
      'Put the root key back there, or say where it is with $NEXUS3_ROOT_KEY_FILE. From a recovery kit: `nexus3 locker ' +
      'import FILE`. If both are lost: `nexus3 locker reset`. If these environments have never been up, `nexus3 up` makes one.',
  });
}

function unsafe(path: string, evidence: string, hint: string): Nexus3Error {
  return new Nexus3Error('ROOT_KEY_UNSAFE', `The root key at ${path} is not safe to use.`, {
    evidence: [`${path}: ${evidence}`],
    hint,
  });
}

const FAULTS: Readonly<Record<RootKeyFault, string>> = {
  empty: 'it is empty',
  'unknown-format': 'it is not in a format that this version of nexus3 knows',
  'truncated-or-edited': 'it is cut short or was edited: its checksum does not fit',
};

function invalid(path: string, fault: RootKeyFault): Nexus3Error {
  return new Nexus3Error('ROOT_KEY_INVALID', `The file at ${path} is not a root key.`, {
    evidence: [`${path}: ${FAULTS[fault]}`],
    hint: 'Put the right one back from your copy, or say where it is with $NEXUS3_ROOT_KEY_FILE.',
  });
}
