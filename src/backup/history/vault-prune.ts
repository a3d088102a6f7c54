/**
 * Takes the oldest history from a vault's folder. The manifest goes on naming what is gone: Redis neither opens history
 * nor misses it (8.2.3, measured while it runs, rewrites and starts), and the start script's guard skips its lines. The
 * manifest is the server's own file and is never written here.
 */
import { lstat, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readIfThere, syncFolder } from '../../files.js';
import { writeFailure } from '../../errors.js';
import { MANIFEST_FILE, parseAofManifest } from '../../protocol/guard.js';
import { aofLog } from './aof-log.js';
import { type HistoryFile, prunedFiles } from './pruning.js';
import { AOF_FOLDER } from './vault-recording.js';

/** @throws Nexus3Error FILE_NOT_WRITABLE */
export async function pruneVault(
  dataDir: string,
  bytesMax: number,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const folder = join(dataDir, AOF_FOLDER);
  let gone: readonly HistoryFile[];
  try {
    gone = prunedFiles(await erasOf(folder), bytesMax);
    for (const { file } of gone) await rm(join(folder, file), { force: true });
    if (gone.length > 0) await syncFolder(folder);
  } catch (error) {
    throw writeFailure(folder, error);
  }
  return { files: gone.length, bytes: gone.reduce((all, { bytes }) => all + bytes, 0) };
}

/** Of history alone. */
export async function historyBytesIn(dataDir: string): Promise<number> {
  const eras = await erasOf(join(dataDir, AOF_FOLDER));
  return eras.flat().reduce((all, { bytes }) => all + bytes, 0);
}

/** Of history alone, oldest first; what the vault is started from is in none. */
async function erasOf(folder: string): Promise<readonly (readonly HistoryFile[])[]> {
  const manifest = parseAofManifest((await readIfThere(join(folder, MANIFEST_FILE))) ?? '');
  const log = manifest === undefined ? undefined : aofLog(manifest);
  if (manifest === undefined || log === undefined) return [];
  const history = new Set(manifest.filter(({ type }) => type === 'h').map(({ file }) => file));
  const sized = async (files: readonly { readonly file: string }[]): Promise<readonly HistoryFile[]> => {
    const there: HistoryFile[] = [];
    for (const { file } of files.filter((each) => history.has(each.file))) {
      const stat = await lstat(join(folder, file)).catch(() => undefined);
      if (stat?.isFile() === true) there.push({ file, bytes: stat.size });
    }
    return there;
  };
  const firsts = log.bases.map(({ next }) => next);
  const eras = [await sized(log.writes.filter(({ seq }) => seq < (firsts[0] ?? Number.POSITIVE_INFINITY)))];
  for (const [index, base] of log.bases.entries()) {
    const end = firsts[index + 1] ?? Number.POSITIVE_INFINITY;
    eras.push(await sized([base, ...log.writes.filter(({ seq }) => seq >= base.next && seq < end)]));
  }
  return eras.filter((era) => era.length > 0);
}
