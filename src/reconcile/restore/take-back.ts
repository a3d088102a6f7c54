/** A restore undone before anybody was let in: the old data, their mark and their users in place again, and serving. */
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error, writeFailure } from '../../errors.js';
import { makeFolder, syncFolder, writeFileWhole } from '../../files.js';
import { CONFIG_FILE } from '../../protocol/layout.js';
import { instancesOf } from '../../protocol/environment.js';
import { openLocker } from '../access.js';
import { bookkeepAll } from '../check.js';
import { isLocker, renderFiles, specOf } from '../desired.js';
import { readFolders } from '../folder.js';
import { look } from '../loop.js';
import { perform } from '../perform.js';
import { ownerToBe, renderInstance } from '../render.js';
import { asideFolder, discardAside, exchange, keptName, stampOf } from '../vault-data/aside.js';
import { proveWriteAndRead, untilLoaded, waitForLink } from '../wait.js';
import { stateOf, stopIfStartedMeanwhile, stopIfThere } from '../vault-data/stop.js';
import type { World } from '../world.js';
import { endJournal, seeRestore, writeJournal } from './journal.js';
import type { Restoring } from './restoring.js';
import { holdsRestored, keptFolder, runs, stagedFolder, undoneFolder, vaultSpecOf } from './restoring.js';

/** Every step can be done again. @throws what kept the old data from serving; they are in their place nevertheless */
export async function takeBack(restoring: Restoring): Promise<void> {
  const { world, environment, journal, credentials, progress } = restoring;
  const { dataRoot } = world.configuration;
  const spec = vaultSpecOf(restoring);
  progress.step('put the old data back');
  await stopIfThere(world, spec);
  try {
    await discardRestored(restoring);
    // Only now: where the disk was full, there is room again.
    await writeJournal(dataRoot, { ...journal, phase: 'taking-back' });
    // What somebody else may have put there meanwhile is not ours to discard.
    await exchange(spec.dataDir, `${keptFolder(restoring)}-found`, keptFolder(restoring));
    await putRecordsBack(restoring);
    await renderInstance(world, environment, spec, credentials, { fenced: journal.before.fenced });
    await stopIfStartedMeanwhile(world, spec);
    if (!journal.before.existed) await world.runtime.remove(spec);
    await endJournal(dataRoot, environment.name);
  } catch (error) {
    throw writeFailure(spec.dataDir, error);
  }
  progress.done('the old data are back in their place');
  if (journal.before.ran) await serveAgain(restoring);
  await discardAside(world, environment.name, 'vault');
  await discardKeptOperational(restoring);
}

/**
 * What nobody but nexus3 can have written to goes. Where somebody may have been let in, it is kept; and Locker always is: it
 * is small, and everybody's passwords are in it.
 */
async function discardRestored({ world, environment, journal, credentials, progress }: Restoring): Promise<void> {
  const spec = vaultSpecOf({ world, environment });
  const undone = undoneFolder(world, environment.name);
  await rm(stagedFolder(world, environment.name), { recursive: true, force: true });
  await rm(undone, { recursive: true, force: true });
  if (!holdsRestored(spec.dataDir, journal)) return;
  const placement = world.runtime.placement(spec, environment.vaultPort);
  const { fenced } = readFolders(spec, renderFiles(environment, 'vault', placement, credentials));
  const isKept = !fenced || isLocker(environment);
  const target = join(asideFolder(world, environment.name), keptName('undone', stampOf(world.clock.now())));
  await makeFolder(asideFolder(world, environment.name), { mode: 0o700 });
  await rename(spec.dataDir, isKept ? target : undone);
  await syncFolder(asideFolder(world, environment.name));
  if (isKept) progress.done(`the restored data are kept in ${target}`);
  await rm(undone, { recursive: true, force: true });
}

/** The mark last: until then the guard holds the vault. */
async function putRecordsBack({ world, environment, journal }: Restoring): Promise<void> {
  const spec = vaultSpecOf({ world, environment });
  const owner = await ownerToBe(spec.dataDir);
  const records = [
    [CONFIG_FILE.engine, journal.before.engine],
    [CONFIG_FILE.mark, journal.before.mark],
  ] as const;
  for (const [name, text] of records) {
    const path = join(spec.configDir, name);
    if (text === null) await rm(path, { force: true });
    else await writeFileWhole(path, text, { mode: 0o600, owner });
  }
}

async function serveAgain({ world, environment, progress }: Restoring): Promise<void> {
  const spec = vaultSpecOf({ world, environment });
  await perform(world, { kind: 'start', on: spec.id }, progress);
  await untilLoaded(world, environment, 'vault');
  for (const { role } of instancesOf(environment)) {
    if (role === 'vault') continue;
    const state = await stateOf(world, specOf(world.configuration, environment, role));
    // Whether a stopped one is to run is not for a restore that failed to say.
    if (runs(state)) await waitForLink(world, environment, progress);
    else return;
  }
  await proveWriteAndRead(world, environment);
  if (isLocker(environment)) await proveThatItOpens(world);
  await bookkeepAll(await look(world, [environment]));
  progress.done('the vault serves what it held before');
}

/** @throws Nexus3Error LOCKER_VALUE_… */
async function proveThatItOpens(world: World): Promise<void> {
  await openLocker(world);
  const shut = await world.locker.custody.whatIsShut();
  if (shut !== undefined) throw shut;
}

/** The operational itself still has what was kept of it. */
async function discardKeptOperational({ world, environment, journal }: Restoring): Promise<void> {
  if (journal.keptOperational === null) return;
  await rm(join(asideFolder(world, environment.name), journal.keptOperational), { recursive: true, force: true });
}

/** What a restore that failed says. @param notBack why the old data do not serve; undefined: they do, as far as they did before */
export function restoreFailed(restoring: Restoring, cause: unknown, notBack: unknown): Nexus3Error {
  const { environment } = restoring;
  const { name } = environment;
  const state = stateAfter(restoring, notBack);
  return new Nexus3Error('RESTORE_FAILED', `${name} was not restored; ${state}.`, {
    evidence: [...linesOf(cause), ...(notBack === undefined ? [] : ['then:', ...linesOf(notBack)])],
    hint: hintFor(restoring, notBack),
    cause,
  });
}

function stateAfter({ world, environment, journal }: Restoring, notBack: unknown): string {
  if (seeRestore(world.configuration.dataRoot, environment.name) !== undefined) return 'the old data are kept aside';
  if (notBack !== undefined) return 'what it held before is in its place, but does not serve yet';
  return journal.before.ran ? 'it serves what it held before' : 'what it held before is in its place';
}

function hintFor({ world, environment: { name } }: Restoring, notBack: unknown): string {
  if (seeRestore(world.configuration.dataRoot, name) !== undefined) {
    return `Put the old data back: nexus3 restore ${name} --abort. See: nexus3 check ${name}`;
  }
  if (notBack !== undefined) return `See: nexus3 check ${name}; then start it: nexus3 up ${name}`;
  return `Another backup may do: nexus3 backup list ${name}`;
}

function linesOf(error: unknown): readonly string[] {
  if (error instanceof Nexus3Error) return [`${error.code}: ${error.message}`, ...error.evidence];
  return [error instanceof Error ? error.message : String(error)];
}
