/**
 * What nexus3 writes down after a look at a healthy environment, outside the data folders: the last-copy guard's
 * high-water mark, and which engine wrote the data. Nothing else is changed by `check`.
 */
import { join } from 'node:path';
import { syncFile, writeFileWhole } from '../files.js';
import { systemErrorCode } from '../errors.js';
import { canRead, renderEngineRecord } from '../protocol/engine-record.js';
import { raiseMark } from '../protocol/guard.js';
import { CONFIG_FILE } from '../protocol/layout.js';
import type { EnvironmentFacts, InstanceFacts } from './facts.js';
import { differsIn, guardOf, instancesIn, isOwned, serverOf, servesPastGuard } from './facts.js';
import { readFolders } from './folder.js';
import { ownerToBe, writeBirth, writeMark } from './render.js';

/** Whether there is anything to write. */
export function needsBookkeeping(facts: EnvironmentFacts): boolean {
  return isMarkBehind(facts) || instancesIn(facts).some(isEngineUnrecorded);
}

export async function bookkeep(facts: EnvironmentFacts): Promise<void> {
  if (isMarkBehind(facts)) await raise(facts.vault);
  for (const instance of instancesIn(facts)) {
    if (isEngineUnrecorded(instance)) await recordEngine(instance);
  }
}

function isMarkBehind(facts: EnvironmentFacts): boolean {
  const { mark, vault } = facts.vault.folder;
  // What lies in a folder that this vault does not use says nothing about it.
  if (differsIn(facts.vault, 'mount')) return false;
  if (!isOwned(facts.vault) || !servesPastGuard(facts) || guardOf(facts).state !== 'clear') return false;
  if (mark === undefined || mark === 'unreadable' || vault.aof === undefined) return false;
  return vault.birth?.state === 'unborn' || raiseMark(mark, vault.aof) !== mark;
}

/**
 * The mark says what has to be on disk, so that is made sure first: fsync on any descriptor of a file writes back all
 * of it. Otherwise a power cut could leave a file shorter than its mark, and hold a vault that lost nothing else.
 */
async function raise(vault: InstanceFacts): Promise<void> {
  const { mark, vault: folder } = readFolders(vault.spec, undefined);
  if (mark === undefined || mark === 'unreadable' || folder.aof === undefined || folder.birth === undefined) return;
  if (folder.birth.incarnation !== mark.incarnation) return;
  const owner = await ownerToBe(vault.spec.dataDir);
  await syncIfThere(join(vault.spec.dataDir, 'appendonlydir', `appendonly.aof.${String(folder.aof.seq)}.incr.aof`));
  if (folder.birth.state === 'unborn') await writeBirth(vault.spec, { ...folder.birth, state: 'born' }, owner);
  const raised = raiseMark(mark, folder.aof);
  if (raised !== mark) await writeMark(vault.spec, raised, owner);
}

async function syncIfThere(path: string): Promise<void> {
  try {
    await syncFile(path);
  } catch (error) {
    // Rewritten in this very moment: then its successor, which is further, is marked at the next look.
    if (systemErrorCode(error) !== 'ENOENT') throw error;
  }
}

/** Newer than what is recorded, or nothing recorded yet. An older one never takes its place. */
function isEngineUnrecorded(instance: InstanceFacts): boolean {
  const engine = serverOf(instance)?.engine;
  if (!isOwned(instance) || engine === undefined) return false;
  const recorded = instance.folder.engine;
  if (recorded === undefined) return true;
  return canRead(engine, recorded) && renderEngineRecord(engine) !== renderEngineRecord(recorded);
}

async function recordEngine(instance: InstanceFacts): Promise<void> {
  const engine = serverOf(instance)?.engine;
  if (engine === undefined) return;
  const owner = await ownerToBe(instance.spec.dataDir);
  await writeFileWhole(join(instance.spec.configDir, CONFIG_FILE.engine), renderEngineRecord(engine), {
    mode: 0o600,
    owner,
  });
}
