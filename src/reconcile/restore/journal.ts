/**
 * What a restore is about to do to one environment, in `{dataRoot}/{env}/restore.json`. It lies there from before anything
 * is changed until all is proven, or taken back; written whole before each phase. Whoever goes on sees by it, and by what
 * lies in the folders, what has been done.
 */
import { readFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { makeFolder, syncFolder, writeFileWhole } from '../../files.js';
import { parseJsonObject } from '../../json.js';
import type { EngineVersion } from '../../protocol/engine-record.js';
import { parseEngineRecord, renderEngineRecord } from '../../protocol/engine-record.js';
import { layoutOf } from '../../protocol/layout.js';
import type { ContentCounts } from '../../redis/observation.js';
import { BACKUP_ID } from '../../backup/backups.js';
import type { RestoreFacts, RestorePhase } from '../facts.js';
import type { RestoreSource } from './source.js';

const JOURNAL_FILE = 'restore.json';
const SCHEMA = 'nexus3.restore-journal/1';
/** Counts of thousands of graphs. More is not ours. */
const JOURNAL_BYTES_MAX = 16 * 1024 * 1024;
const PHASES: readonly RestorePhase[] = ['replacing', 'proving', 'opening', 'taking-back'];

/** How the vault was found: what taking back leads to. */
export interface VaultBefore {
  /** Text of the guard's mark; null: there was none. */
  readonly mark: string | null;
  /** Text of the engine's record. */
  readonly engine: string | null;
  readonly fenced: boolean;
  /** There was an instance. */
  readonly existed: boolean;
  readonly ran: boolean;
}

export type RestoredBy = 'all' | 'name';

export interface RestoreJournal {
  readonly env: string;
  /** Whether somebody named it, or it was one of all; also of whoever goes on with it. */
  readonly by: RestoredBy;
  readonly phase: RestorePhase;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly source: RestoreSource;
  /** Of the restored data. */
  readonly incarnation: string;
  /** Of the engine that the restored data can be read by. */
  readonly engine: EngineVersion;
  readonly expected: ContentCounts;
  /** Names in `aside/`: what the vault held, and a snapshot of what its operational did. */
  readonly kept: string;
  readonly keptOperational: string | null;
  readonly before: VaultBefore;
}

export function journalPath(dataRoot: string, env: string): string {
  return join(layoutOf(dataRoot, env).root, JOURNAL_FILE);
}

/** For a look: of hundreds of environments, so at once and not in the background. Undefined: none is under way. */
export function seeRestore(dataRoot: string, env: string): RestoreFacts | undefined {
  const text = readIfThere(journalPath(dataRoot, env));
  if (text === undefined) return undefined;
  const journal = parse(text);
  if (journal === undefined) return { phase: 'unreadable', source: '', startedAt: '' };
  const { phase, source, startedAt } = journal;
  return { phase, source: source.kind === 'backup' ? source.id : source.at, startedAt };
}

/** @throws Nexus3Error RESTORE_REFUSED for a file that nexus3 did not write so */
export function readJournal(dataRoot: string, env: string): RestoreJournal | undefined {
  const path = journalPath(dataRoot, env);
  const text = readIfThere(path);
  if (text === undefined) return undefined;
  const journal = parse(text);
  if (journal !== undefined && journal.env === env) return journal;
  const { aside, data } = layoutOf(dataRoot, env);
  throw new Nexus3Error('RESTORE_REFUSED', `What a restore of ${env} has written down cannot be read.`, {
    evidence: [path],
    hint: `nexus3 did not write it so. The data are in ${data.vault} and ${aside}: put those that are right into ${data.vault}, remove that file, then see: nexus3 check ${env}`,
  });
}

/** @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
export async function writeJournal(dataRoot: string, journal: RestoreJournal): Promise<void> {
  await makeFolder(layoutOf(dataRoot, journal.env).root, { mode: 0o755 });
  const { engine, ...rest } = journal;
  const text = JSON.stringify({ schema: SCHEMA, ...rest, engine: renderEngineRecord(engine).trim() });
  await writeFileWhole(journalPath(dataRoot, journal.env), `${text}\n`, { mode: 0o600 });
}

export async function endJournal(dataRoot: string, env: string): Promise<void> {
  await rm(journalPath(dataRoot, env), { force: true });
  await syncFolder(layoutOf(dataRoot, env).root);
}

function readIfThere(path: string): string | undefined {
  try {
    const text = readFileSync(path, 'utf8');
    return text.length > JOURNAL_BYTES_MAX ? '' : text;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    // It is there: that nobody may read it does not make a restore finished.
    if (code === 'EACCES' || code === 'EPERM' || code === 'EISDIR') return '';
    throw error;
  }
}

/** The file is root's alone, so what is in it is believed as far as it has the right shape. */
function parse(text: string): RestoreJournal | undefined {
  const value = parseJsonObject(text);
  if (value?.['schema'] !== SCHEMA) return undefined;
  const { env, startedAt, incarnation, kept, keptOperational } = value;
  const phase = PHASES.find((one) => one === value['phase']);
  const source = parseSource(value['source']);
  const engine = typeof value['engine'] === 'string' ? parseEngineRecord(value['engine']) : undefined;
  const expected = parseContent(value['expected']);
  const before = parseBefore(value['before']);
  if (phase === undefined || source === undefined || engine === undefined) return undefined;
  if (expected === undefined || before === undefined || typeof env !== 'string') return undefined;
  if (typeof startedAt !== 'string' || !isName(kept) || !(keptOperational === null || isName(keptOperational))) {
    return undefined;
  }
  if (typeof incarnation !== 'string' || !/^[0-9a-f]{16,64}$/.test(incarnation)) return undefined;
  const by = value['by'] === 'all' ? 'all' : 'name';
  return { env, by, phase, startedAt, source, incarnation, engine, expected, kept, keptOperational, before };
}

/** Of something in `aside/`, and nowhere else. */
function isName(value: unknown): value is string {
  return typeof value === 'string' && /^kept-[A-Za-z0-9-]+$/.test(value);
}

export function parseSource(value: unknown): RestoreSource | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, env, id, createdAt, at } = value as Readonly<Record<string, unknown>>;
  if (typeof env !== 'string') return undefined;
  if (kind === 'history' && typeof at === 'string') return { kind, env, at };
  if (kind !== 'backup' || typeof id !== 'string' || !BACKUP_ID.test(id)) return undefined;
  return typeof createdAt === 'string' ? { kind, env, id, createdAt } : undefined;
}

function parseContent(value: unknown): ContentCounts | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { databases, graphs } = value as Partial<ContentCounts>;
  if (!Array.isArray(databases) || !Array.isArray(graphs)) return undefined;
  return { databases, graphs };
}

function parseBefore(value: unknown): VaultBefore | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { mark, engine, fenced, existed, ran } = value as Readonly<Record<string, unknown>>;
  if (!(mark === null || typeof mark === 'string') || !(engine === null || typeof engine === 'string'))
    return undefined;
  return { mark, engine, fenced: fenced === true, existed: existed === true, ran: ran === true };
}
