/** What is taken from a snapshot of restic, and in which order. Pure. */
import { isEnvironmentName } from '../../protocol/environment.js';
import { BACKUP_ID } from '../backups.js';
import type { StoredFile } from './messages.js';

/** How many units one run is asked for: its arguments have a limit, so each is named by its folder. */
const UNITS_A_RUN_MAX = 500;
/** What one run brings at most, but for a single unit that is larger: it lies in a hidden folder until all of it is there. */
const BYTES_A_RUN_MAX = 1024 ** 3;
/** What one vault incarnation wrote is brought whole or not at all: its index says which files make it. */
const LINEAGE = /^[0-9a-f]{16,64}(-\d{1,3})?$/;
const HISTORY_FILE = /^[A-Za-z0-9][\w.-]{0,200}$/;

export const KEYS_FILE = 'keys.json';

/** What is moved into its place as one: a backup, the history of one vault incarnation, or the file of keys. */
export interface Unit {
  /** Below the root. */
  readonly path: string;
  readonly files: readonly StoredFile[];
}

export type UnitKind =
  | { readonly kind: 'keys' }
  | { readonly kind: 'backup'; readonly env: string; readonly id: string }
  | { readonly kind: 'lineage'; readonly env: string; readonly name: string };

export function kindOf(path: string): UnitKind {
  const [env = '', second = '', name = ''] = path.split('/');
  if (path === KEYS_FILE) return { kind: 'keys' };
  return second === 'history' ? { kind: 'lineage', env, name } : { kind: 'backup', env, id: second };
}

/** What a path belongs to, below the root; undefined: it is none of ours, or of an environment that was not asked for. */
export function unitOf(path: string, envs: readonly string[]): string | undefined {
  const [first, env = '', second = '', ...rest] = path.split('/');
  if (first !== '') return undefined;
  if (env === KEYS_FILE) return second === '' ? env : undefined;
  if (!isEnvironmentName(env) || (envs.length > 0 && !envs.includes(env))) return undefined;
  if (BACKUP_ID.test(second)) {
    return rest.length === 1 && /^(manifest\.json|dump\.rdb(\.age)?)$/.test(rest[0] ?? '')
      ? `${env}/${second}`
      : undefined;
  }
  const [lineage = '', file = '', ...deeper] = rest;
  const isHistory = second === 'history' && LINEAGE.test(lineage) && HISTORY_FILE.test(file) && deeper.length === 0;
  return isHistory ? `${env}/${second}/${lineage}` : undefined;
}

export function unitsOf(files: readonly StoredFile[]): readonly Unit[] {
  const units = new Map<string, StoredFile[]>();
  for (const file of files) {
    const path = unitOf(file.path, []) ?? '';
    const own = units.get(path);
    if (own === undefined) units.set(path, [file]);
    else own.push(file);
  }
  return [...units].map(([path, own]) => ({ path, files: own }));
}

/**
 * The keys first: without them, the rest cannot be believed. Then the newest backup of each environment, then the second
 * newest, and so on; histories last: where there is little room, it is the newest backups that come.
 */
export function inOrder(units: readonly Unit[]): readonly Unit[] {
  const ranks = new Map<string, number>();
  const counts = new Map<string, number>();
  for (const { path } of units.toSorted((a, b) => (a.path < b.path ? 1 : -1))) {
    const unit = kindOf(path);
    if (unit.kind === 'keys') ranks.set(path, -1);
    if (unit.kind === 'lineage') ranks.set(path, Infinity);
    if (unit.kind !== 'backup') continue;
    const rank = counts.get(unit.env) ?? 0;
    ranks.set(path, rank);
    counts.set(unit.env, rank + 1);
  }
  const rankOf = ({ path }: Unit): number => ranks.get(path) ?? Infinity;
  return units.toSorted((a, b) => (rankOf(a) === rankOf(b) ? (a.path < b.path ? -1 : 1) : rankOf(a) - rankOf(b)));
}

/** As many at once as one run may be asked for. */
export function runsOf(units: readonly Unit[]): readonly (readonly Unit[])[] {
  const runs: Unit[][] = [];
  let bytes = Infinity;
  for (const unit of units) {
    const own = unit.files.reduce((sum, file) => sum + file.bytes, 0);
    if (bytes + own > BYTES_A_RUN_MAX || (runs.at(-1)?.length ?? 0) >= UNITS_A_RUN_MAX) {
      runs.push([]);
      bytes = 0;
    }
    runs.at(-1)?.push(unit);
    bytes += own;
  }
  return runs;
}
