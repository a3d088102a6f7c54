/**
 * `index.json` of what is archived of one vault incarnation: a contract (docs/backups.md). What is not named here does not
 * count and is swept; what is named here is immutable. Pure.
 */
import { parseJsonObject } from '../../json.js';
import type { Mac } from '../sealing.js';
import { count, isObject, line, list, object, Untrue } from '../untrusted.js';
import { iso } from './seconds.js';

export const HISTORY_SCHEMA = 'nexus3.history/1';
/** About 300,000 parts. More than this is not read. */
export const INDEX_BYTES_MAX = 128 * 1024 * 1024;
const PARTS_MAX = 400_000;

/** One file in the archive. */
export interface Part {
  readonly file: string;
  /** As it lies there, sealed or not. */
  readonly storedBytes: number;
  /** Of what was archived. */
  readonly bytes: number;
  readonly sha256: string;
}

export interface ArchivedBase extends Part {
  readonly name: string;
  /** Seconds since 1970 in memory, ISO 8601 in the file; so are all times here. */
  readonly from: number;
  readonly next: number;
}

/** Whole commands of one file of writes, from one byte of it on. */
export interface ArchivedRange extends Part {
  readonly begin: number;
  readonly first: number | undefined;
  readonly last: number | undefined;
  /** SHA-256 of its last bytes: whether the vault's file still is the one that this was copied from. */
  readonly tail: string;
}

export interface ArchivedWrites {
  readonly name: string;
  readonly seq: number;
  /** The second that the file begins with, where it begins with one. */
  readonly first: number | undefined;
  /** Each begins where the one before it ends. */
  readonly ranges: readonly ArchivedRange[];
}

/** Without a gap. */
export interface Stretch {
  /** Everything dated so or earlier is in it; undefined: it is not yet known how far it goes. */
  readonly coveredTo: number | undefined;
  /** @see Recording.certainFrom; undefined: from its first base on */
  readonly certainFrom: number | undefined;
  readonly bases: readonly ArchivedBase[];
  readonly writes: readonly ArchivedWrites[];
}

export interface ArchiveIndex {
  readonly env: string;
  readonly incarnation: string;
  readonly since: number;
  /** Another vault has taken its place. */
  readonly closed: boolean;
  /** Oldest first. */
  readonly stretches: readonly Stretch[];
}

export const PART_FILE = /^appendonly\.aof\.\d{1,15}\.(base|incr)\.(rdb|aof)(\.\d{1,16})?\.[0-9a-f]{8}(\.age)?$/;
const NAME = /^appendonly\.aof\.\d{1,15}\.(base|incr)\.(rdb|aof)$/;
const SHA256 = /^[0-9a-f]{64}$/;
const INCARNATION = /^[0-9a-f]{16,64}$/;

export function partsOf({ bases, writes }: Stretch): readonly Part[] {
  return [...bases, ...writes.flatMap(({ ranges }) => ranges)];
}

/** The last second that it knows of. */
export function reachOf({ since, stretches }: ArchiveIndex): number {
  let reach = since;
  for (const { coveredTo, bases, writes } of stretches) {
    reach = Math.max(reach, coveredTo ?? since, ...bases.map(({ from }) => from));
    for (const { ranges } of writes) reach = Math.max(reach, ranges.at(-1)?.last ?? since);
  }
  return reach;
}

export function endOf({ ranges }: ArchivedWrites): number {
  const last = ranges.at(-1);
  return last === undefined ? 0 : last.begin + last.bytes;
}

/** The text that is proven by the MAC. */
export function renderBody(index: ArchiveIndex): string {
  return JSON.stringify({
    schema: HISTORY_SCHEMA,
    env: index.env,
    incarnation: index.incarnation,
    since: iso(index.since),
    closed: index.closed,
    stretches: index.stretches.map(({ coveredTo, certainFrom, bases, writes }) => ({
      coveredTo: isoOrNull(coveredTo),
      certainFrom: isoOrNull(certainFrom),
      bases: bases.map(({ name, from, next, ...part }) => ({ name, from: iso(from), next, ...plain(part) })),
      writes: writes.map(({ name, seq, first, ranges }) => ({
        name,
        seq,
        first: isoOrNull(first),
        ranges: ranges.map(({ begin, first: firstOfRange, last, tail, ...part }) => ({
          begin,
          first: isoOrNull(firstOfRange),
          last: isoOrNull(last),
          tail,
          ...plain(part),
        })),
      })),
    })),
  });
}

export function renderIndex(body: string, mac: Mac): string {
  return `${body.slice(0, -1)},"mac":${JSON.stringify(mac)}}\n`;
}

/** What is said, and the MAC over it, before either is believed. @throws Untrue */
export function readSaid(text: string): { readonly said: Readonly<Record<string, unknown>>; readonly mac: Mac } {
  const json = parseJsonObject(text);
  if (json === undefined) throw new Untrue('it is not JSON, or cut short');
  if (json['schema'] !== HISTORY_SCHEMA) throw new Untrue(`its schema is not ${HISTORY_SCHEMA}`);
  const { mac, ...said } = json;
  if (!isObject(mac)) throw new Untrue('it has no MAC');
  return { said, mac: { key: line(mac['key'], 'mac.key'), value: line(mac['value'], 'mac.value') } };
}

/** Only of what a MAC has proven: one that a later version wrote may still be another shape. @throws Untrue */
export function indexOf(said: Readonly<Record<string, unknown>>): ArchiveIndex {
  const incarnation = matching(said['incarnation'], INCARNATION, 'incarnation');
  if (typeof said['closed'] !== 'boolean') throw new Untrue('closed: missing');
  return {
    env: line(said['env'], 'env'),
    incarnation,
    since: second(said['since'], 'since'),
    closed: said['closed'],
    stretches: list(said['stretches'], PARTS_MAX, 'stretches').map(stretchOf),
  };
}

function stretchOf(value: unknown): Stretch {
  const fields = object(value, 'stretches');
  return {
    coveredTo: secondOrNull(fields['coveredTo'], 'coveredTo'),
    // Indexes from before it was written have none.
    certainFrom: secondOrNull(fields['certainFrom'] ?? null, 'certainFrom'),
    bases: list(fields['bases'], PARTS_MAX, 'bases').map(baseOf),
    writes: list(fields['writes'], PARTS_MAX, 'writes').map(writesOf),
  };
}

function baseOf(value: unknown): ArchivedBase {
  const fields = object(value, 'bases');
  return {
    name: matching(fields['name'], NAME, 'name'),
    from: second(fields['from'], 'from'),
    next: count(fields['next'], 'next'),
    ...partOf(fields),
  };
}

function writesOf(value: unknown): ArchivedWrites {
  const fields = object(value, 'writes');
  return {
    name: matching(fields['name'], NAME, 'name'),
    seq: count(fields['seq'], 'seq'),
    first: secondOrNull(fields['first'], 'first'),
    ranges: list(fields['ranges'], PARTS_MAX, 'ranges').map(rangeOf),
  };
}

function rangeOf(value: unknown): ArchivedRange {
  const fields = object(value, 'ranges');
  return {
    begin: count(fields['begin'], 'begin'),
    first: secondOrNull(fields['first'], 'first'),
    last: secondOrNull(fields['last'], 'last'),
    tail: matching(fields['tail'], SHA256, 'tail'),
    ...partOf(fields),
  };
}

function partOf(fields: Readonly<Record<string, unknown>>): Part {
  return {
    file: matching(fields['file'], PART_FILE, 'file'),
    storedBytes: count(fields['storedBytes'], 'storedBytes'),
    bytes: count(fields['bytes'], 'bytes'),
    sha256: matching(fields['sha256'], SHA256, 'sha256'),
  };
}

function plain({ file, storedBytes, bytes, sha256 }: Part): Part {
  return { file, storedBytes, bytes, sha256 };
}

function isoOrNull(at: number | undefined): string | null {
  return at === undefined ? null : iso(at);
}

function second(value: unknown, field: string): number {
  const at = Date.parse(line(value, field)) / 1_000;
  if (!Number.isSafeInteger(at) || iso(at) !== value) throw new Untrue(`${field}: no second`);
  return at;
}

function secondOrNull(value: unknown, field: string): number | undefined {
  return value === null ? undefined : second(value, field);
}

function matching(value: unknown, pattern: RegExp, field: string): string {
  const text = line(value, field);
  if (!pattern.test(text)) throw new Untrue(`${field}: not one`);
  return text;
}
