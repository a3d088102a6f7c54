/**
 * The last-copy guard, as a pure decision. It answers one question before a vault starts: are these the data it once
 * had? The rendered `start` script asks the same question without nexus3 (see start-script.ts); a test holds the two
 * together.
 *
 * Two small files carry what is known. `nexus3.birth` lies *in* the data folder: an emptied folder has lost it, and with
 * it the permission to start empty. `mark` lies *outside*, in the configuration folder: whose data these must be, and
 * how far the append-only file had come when nexus3 last looked.
 *
 * What the mark cannot know: writes made after nexus3 last looked. A folder put back to a state newer than that is not
 * seen as old.
 */

/** How far an append-only file has come. It only grows: within one file by bytes, and by one in `seq` at each rewrite. */
export interface AofPosition {
  /** `seq` of the newest incremental file in the manifest; 0 when there is none. */
  readonly seq: number;
  /** Size of that file in bytes. */
  readonly bytes: number;
}

export interface Mark extends AofPosition {
  /** Names this vault's data through all restarts; a rebuilt vault has a new one. */
  readonly incarnation: string;
}

export interface Birth {
  /** `unborn`: this folder has never held data and may start empty, once. */
  readonly state: 'unborn' | 'born';
  readonly incarnation: string;
}

/** What lies in a vault's data folder. */
export interface VaultFolder {
  readonly birth: Birth | undefined;
  /** Undefined: no manifest. */
  readonly aof: (AofPosition & { readonly missingFiles: readonly string[] }) | undefined;
}

export type HeldCode = 'vault-empty' | 'vault-behind';

export type GuardVerdict =
  /** The data are those that the mark speaks of: the vault may start. */
  | { readonly state: 'clear' }
  /** Nothing was ever here: no mark and no data. */
  | { readonly state: 'new' }
  /** Data, or the permission to start empty, but no mark: the mark has to be written before a start. */
  | { readonly state: 'unmarked' }
  | { readonly state: 'held'; readonly code: HeldCode; readonly cause: HeldCause; readonly detail: string };

export type HeldCause =
  'mark-unreadable' | 'birth-missing' | 'birth-foreign' | 'aof-missing' | 'aof-incomplete' | 'aof-older';

export function judgeVault(mark: Mark | 'unreadable' | undefined, folder: VaultFolder): GuardVerdict {
  const { birth, aof } = folder;
  if (mark === 'unreadable') {
    return held(
      'vault-behind',
      'mark-unreadable',
      'the mark is there but cannot be read, so nothing vouches for the data',
    );
  }
  if (mark === undefined) return birth === undefined && aof === undefined ? { state: 'new' } : { state: 'unmarked' };
  if (birth === undefined) {
    return held('vault-empty', 'birth-missing', 'the data folder has lost what nexus3 put there when it was created');
  }
  if (birth.incarnation !== mark.incarnation) {
    return held('vault-empty', 'birth-foreign', 'the data folder belongs to another vault');
  }
  if (aof === undefined) {
    // A mark that has moved has seen data, whatever the birth file says.
    if (birth.state === 'unborn' && !isBefore({ seq: 0, bytes: 0 }, mark)) return { state: 'clear' };
    return held('vault-empty', 'aof-missing', 'the append-only file is gone');
  }
  if (aof.missingFiles.length > 0) {
    return held(
      'vault-empty',
      'aof-incomplete',
      `of the append-only file, ${aof.missingFiles.join(', ')} is gone or damaged`,
    );
  }
  if (isBefore(aof, mark)) {
    return held(
      'vault-behind',
      'aof-older',
      `the append-only file ends at ${formatPosition(aof)}, but had come to ${formatPosition(mark)}`,
    );
  }
  return { state: 'clear' };
}

function held(code: HeldCode, cause: HeldCause, detail: string): GuardVerdict {
  return { state: 'held', code, cause, detail };
}

export function isBefore(a: AofPosition, b: AofPosition): boolean {
  return a.seq < b.seq || (a.seq === b.seq && a.bytes < b.bytes);
}

/** The mark after a look at a healthy vault: it never goes back. */
export function raiseMark(mark: Mark, seen: AofPosition): Mark {
  return isBefore(mark, seen) ? { incarnation: mark.incarnation, seq: seen.seq, bytes: seen.bytes } : mark;
}

function formatPosition({ seq, bytes }: AofPosition): string {
  return `file ${String(seq)}, byte ${String(bytes)}`;
}

/** `INCARNATION SEQ BYTES`, one line, so that a shell reads it with one `read`. */
export function renderMark(mark: Mark): string {
  return `${mark.incarnation} ${String(mark.seq)} ${String(mark.bytes)}\n`;
}

/** A line without its end may have lost digits too: it is not a mark. */
export function parseMark(text: string): Mark | undefined {
  const match = /^([0-9a-f]{16,64}) (\d{1,15}) (\d{1,15})\n$/.exec(text);
  if (match === null) return undefined;
  return { incarnation: match[1] ?? '', seq: Number(match[2]), bytes: Number(match[3]) };
}

/** `STATE INCARNATION`, one line. */
export function renderBirth(birth: Birth): string {
  return `${birth.state} ${birth.incarnation}\n`;
}

export function parseBirth(text: string): Birth | undefined {
  const match = /^(unborn|born) ([0-9a-f]{16,64})\n$/.exec(text);
  if (match === null) return undefined;
  return { state: match[1] === 'born' ? 'born' : 'unborn', incarnation: match[2] ?? '' };
}

export interface ManifestEntry {
  readonly file: string;
  readonly seq: number;
  /** b: base, i: incremental, h: history. */
  readonly type: string;
}

export const MANIFEST_FILE = 'appendonly.aof.manifest';

/**
 * The append-only file's manifest: lines of `file NAME seq N type T …` (Redis source, aof.c). Undefined when it holds
 * anything else, or nothing: Redis would not load it, and the guard does not believe a part of it.
 */
export function parseAofManifest(text: string): readonly ManifestEntry[] | undefined {
  if (!text.endsWith('\n')) return undefined;
  const entries: ManifestEntry[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const match = /^file (appendonly\.aof\.[a-z0-9.]+) seq (\d{1,15}) type ([bhi])(?: [a-z0-9. ]*)?$/.exec(line);
    if (match === null) return undefined;
    entries.push({ file: match[1] ?? '', seq: Number(match[2]), type: match[3] ?? '' });
  }
  return entries;
}

/**
 * @param manifest undefined: there is one, but it cannot be read; it then counts as missing itself.
 * @param sizeOf says undefined for a file that is not there.
 */
export function readAofPosition(
  manifest: readonly ManifestEntry[] | undefined,
  sizeOf: (file: string) => number | undefined,
): NonNullable<VaultFolder['aof']> {
  if (manifest === undefined) return { seq: 0, bytes: 0, missingFiles: [MANIFEST_FILE] };
  let position: AofPosition = { seq: 0, bytes: 0 };
  const missingFiles: string[] = [];
  for (const { file, seq, type } of manifest) {
    if (type === 'h') continue;
    const bytes = sizeOf(file);
    // Redis never writes an empty base, but reads one as if nothing had been there.
    if (bytes === undefined || (type === 'b' && bytes === 0)) missingFiles.push(file);
    if (type === 'i') position = { seq, bytes: bytes ?? 0 };
  }
  return { ...position, missingFiles };
}
