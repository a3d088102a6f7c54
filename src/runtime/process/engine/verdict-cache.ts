/**
 * What trials found, kept in the engine folder, so that a `check` starts no trial. A verdict counts only for the very
 * same files: paths, sizes and times of the engine, the module, the libraries, and the machine's list of libraries.
 * The cache is an aid: where it cannot be read or written, the trial is made again.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { makeFolder, writeFileWhole } from '../../../files.js';
import type { Candidate, Verdict } from './engine.js';

const FORMAT = 1;
/** More than the engines of any one machine. */
const VERDICTS_MAX = 32;
/** Changes whenever libraries are installed, and with the C library itself. */
const MACHINE_LIBRARIES = ['/etc/ld.so.cache', '/lib64/ld-linux-x86-64.so.2', '/lib/ld-musl-x86_64.so.1'];

export class VerdictCache {
  readonly #path: string;
  readonly #folder: string;
  readonly #verdicts: Map<string, Verdict>;

  constructor(engineHome: string) {
    this.#folder = engineHome;
    this.#path = join(engineHome, 'verdicts.json');
    this.#verdicts = new Map(readVerdicts(this.#path));
  }

  get(candidate: Candidate): Verdict | undefined {
    return this.#verdicts.get(fingerprint(candidate));
  }

  async put(candidate: Candidate, verdict: Verdict): Promise<void> {
    if (!verdict.ok && verdict.transient) return;
    const key = fingerprint(candidate);
    this.#verdicts.delete(key);
    this.#verdicts.set(key, verdict);
    for (const oldest of [...this.#verdicts.keys()].slice(0, -VERDICTS_MAX)) this.#verdicts.delete(oldest);
    const text = JSON.stringify({ format: FORMAT, verdicts: [...this.#verdicts] });
    try {
      await makeFolder(this.#folder, { mode: 0o755 });
      await writeFileWhole(this.#path, `${text}\n`, { mode: 0o644 });
    } catch {
      // A full or read-only disk costs the next command a trial, and nothing else.
    }
  }
}

/** A hash over everything on which a trial's outcome depends. */
export function fingerprint(candidate: Candidate): string {
  const files = [...candidate.command.filter((word) => word.startsWith('/')), ...candidate.dependsOn];
  if (candidate.modulePath !== undefined) files.push(candidate.modulePath);
  const lines = [...files.flatMap(describePath), ...MACHINE_LIBRARIES.flatMap(describePath)];
  return createHash('sha256')
    .update(JSON.stringify([candidate.command, candidate.modulePath ?? null, lines]))
    .digest('hex');
}

/** A file by size and time; a folder by each of its files. */
function describePath(path: string): readonly string[] {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat === undefined) return [`${path} missing`];
  if (!stat.isDirectory()) return [`${path} ${String(stat.size)} ${String(stat.mtimeMs)}`];
  return readdirSync(path)
    .sort()
    .flatMap((name) => {
      const file = statSync(join(path, name), { throwIfNoEntry: false });
      return [`${join(path, name)} ${String(file?.size)} ${String(file?.mtimeMs)}`];
    });
}

function readVerdicts(path: string): readonly (readonly [string, Verdict])[] {
  try {
    const { format, verdicts } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    if (format !== FORMAT || !Array.isArray(verdicts)) return [];
    return verdicts.filter(isEntry);
  } catch {
    return [];
  }
}

function isEntry(entry: unknown): entry is readonly [string, Verdict] {
  if (!Array.isArray(entry) || typeof entry[0] !== 'string') return false;
  const verdict: unknown = entry[1];
  if (typeof verdict !== 'object' || verdict === null) return false;
  const { ok, why, kind, version, graphModule } = verdict as Record<string, unknown>;
  if (ok === false) return typeof why === 'string';
  return (
    ok === true &&
    (kind === 'redis' || kind === 'valkey') &&
    typeof version === 'string' &&
    typeof graphModule === 'number'
  );
}
