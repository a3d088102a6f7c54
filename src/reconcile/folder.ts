/**
 * What lies in an instance's folders. Read synchronously on purpose: a check of hundreds of instances reads thousands of
 * tiny files, and one turn through the thread pool for each costs several times what the reading does.
 */
import type { Stats } from 'node:fs';
import { readFileSync, statfsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../errors.js';
import type { EngineVersion } from '../protocol/engine-record.js';
import { parseEngineRecord } from '../protocol/engine-record.js';
import type { Mark, VaultFolder } from '../protocol/guard.js';
import { MANIFEST_FILE, parseAofManifest, parseBirth, parseMark, readAofPosition } from '../protocol/guard.js';
import { BIRTH_FILE, CONFIG_FILE } from '../protocol/layout.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import { parseAclUser } from '../protocol/users.js';
import type { RenderedFile } from './desired.js';

/** A configuration or manifest larger than this is not one of ours and is not read. */
const SMALL_FILE_BYTES_MAX = 1_048_576;
/** How often a manifest that changes while it is read is read again. */
const REREADS_MAX = 3;
/** Permission bits that let anyone but the owner read or write. */
const OTHERS_MASK = 0o077;

export interface FolderFacts {
  /** Names of rendered files that are missing or differ; empty also when there was nothing to compare with. */
  readonly drifted: readonly string[];
  /** Directives of redis.conf that differ, for a decision between a restart and a change at runtime. */
  readonly driftedDirectives: readonly string[];
  /** users.acl lets neither a replica nor an application in: a recovery or a restore was cut off before what the vault holds was proven. */
  readonly fenced: boolean;
  /** Rendered files that hold a password and can be read by others. */
  readonly readableByOthers: readonly string[];
  readonly mark: Mark | 'unreadable' | undefined;
  /** Of a vault. */
  readonly vault: VaultFolder;
  /** A snapshot or an append-only file is there. */
  readonly hasData: boolean;
  readonly engine: EngineVersion | undefined;
  readonly freeBytes: number | undefined;
  readonly totalBytes: number | undefined;
}

/** @param tolerated further contents of those files that are as good for now, because a rotation is under way. */
export function readFolders(
  spec: Pick<InstanceSpec, 'configDir' | 'dataDir'>,
  expected: readonly RenderedFile[] | undefined,
  tolerated: readonly RenderedFile[] = [],
): FolderFacts {
  const drifted: string[] = [];
  let driftedDirectives: readonly string[] = [];
  const readableByOthers: string[] = [];
  for (const file of expected ?? []) {
    const path = join(spec.configDir, file.name);
    const actual = readSmall(path);
    const isTolerated = tolerated.some(({ name, content }) => name === file.name && content === actual);
    if (actual !== file.content && !isTolerated) {
      drifted.push(file.name);
      if (file.name === CONFIG_FILE.redisConf) driftedDirectives = directivesThatDiffer(file.content, actual ?? '');
    }
    if (actual !== undefined && file.name === CONFIG_FILE.redisConf && isReadableByOthers(path)) {
      readableByOthers.push(file.name);
    }
  }
  const markText = readSmall(join(spec.configDir, CONFIG_FILE.mark));
  const engineText = readSmall(join(spec.configDir, CONFIG_FILE.engine));
  const vault = readVaultFolder(spec.dataDir);
  const space = diskSpace(spec.dataDir);
  return {
    drifted,
    driftedDirectives,
    readableByOthers,
    fenced: isFenced(spec.configDir, drifted),
    mark: markText === undefined ? undefined : (parseMark(markText) ?? 'unreadable'),
    vault,
    hasData: vault.aof !== undefined || sizeOf(join(spec.dataDir, 'dump.rdb')) !== undefined,
    engine: engineText === undefined ? undefined : parseEngineRecord(engineText),
    freeBytes: space?.free,
    totalBytes: space?.total,
  };
}

export function readVaultFolder(dataDir: string): VaultFolder {
  const birthText = readSmall(join(dataDir, BIRTH_FILE));
  return { birth: birthText === undefined ? undefined : parseBirth(birthText), aof: readAof(dataDir) };
}

/** A running server may end a rewrite between the manifest and its files: then the manifest has changed, too. */
function readAof(dataDir: string): VaultFolder['aof'] {
  const appendOnly = join(dataDir, 'appendonlydir');
  const manifestPath = join(appendOnly, MANIFEST_FILE);
  for (let again = 0; ; again += 1) {
    const manifest = readSmall(manifestPath);
    if (manifest === undefined) return undefined;
    const aof = readAofPosition(parseAofManifest(manifest), (file) => sizeOf(join(appendOnly, file)));
    if (aof.missingFiles.length === 0 || again >= REREADS_MAX || readSmall(manifestPath) === manifest) return aof;
  }
}

/** The users that a server was started with, or will be; undefined where there is no such file. */
export function readRenderedUsers({ configDir }: Pick<InstanceSpec, 'configDir'>): string | undefined {
  return readSmall(join(configDir, CONFIG_FILE.usersAcl));
}

/** Only a drifted file can be the fenced one, so an undisturbed instance is not read twice. */
function isFenced(configDir: string, drifted: readonly string[]): boolean {
  if (!drifted.includes(CONFIG_FILE.usersAcl)) return false;
  const text = readSmall(join(configDir, CONFIG_FILE.usersAcl)) ?? '';
  const users = new Map(text.split('\n').map((line) => [parseAclUser(line)?.name, parseAclUser(line)]));
  // The vault of a Secure Environment has no replicator; an operational has neither that nor a backup user.
  const fencedOut = users.get('replicator') ?? (users.has('backup') ? users.get('default') : undefined);
  return fencedOut?.on === false;
}

/** Names of the directives whose lines differ between two redis.conf texts. */
export function directivesThatDiffer(a: string, b: string): readonly string[] {
  const linesOf = (text: string): Set<string> =>
    new Set(text.split('\n').filter((line) => line !== '' && !line.startsWith('#')));
  const [left, right] = [linesOf(a), linesOf(b)];
  const names = new Set<string>();
  for (const line of left) if (!right.has(line)) names.add(line.split(' ', 1)[0] ?? '');
  for (const line of right) if (!left.has(line)) names.add(line.split(' ', 1)[0] ?? '');
  return [...names];
}

/** Undefined where there is no such file. @throws FILE_NOT_WRITABLE where this user may not look */
function readSmall(path: string): string | undefined {
  try {
    return (sizeOf(path) ?? 0) > SMALL_FILE_BYTES_MAX ? '' : readFileSync(path, 'utf8');
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw lookFailure(path, error);
  }
}

function sizeOf(path: string): number | undefined {
  return statIfThere(path)?.size;
}

function isReadableByOthers(path: string): boolean {
  return ((statIfThere(path)?.mode ?? 0) & OTHERS_MASK) !== 0;
}

function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw lookFailure(path, error);
  }
}

/** What cannot be seen is neither there nor gone: to guess either could cost the last copy. */
function lookFailure(path: string, error: unknown): unknown {
  const code = systemErrorCode(error);
  if (code !== 'EACCES' && code !== 'EPERM') return error;
  return new Nexus3Error('FILE_NOT_WRITABLE', `${path} cannot be looked at.`, {
    evidence: [`${code} on ${path}`],
    hint: 'Run the command as root, or as the user who made this environment.',
    cause: error,
  });
}

function diskSpace(path: string): { readonly free: number; readonly total: number } | undefined {
  try {
    const { bavail, blocks, bsize } = statfsSync(path);
    return { free: bavail * bsize, total: blocks * bsize };
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw error;
  }
}

function isAbsence(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'EISDIR'].includes(systemErrorCode(error) ?? '');
}
