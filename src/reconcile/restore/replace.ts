/**
 * The vault's data replaced by the restored ones, and those proven. Every step can be done again. What goes wrong here is
 * taken back by whoever called it: until the last line nobody but nexus3 has seen what was restored.
 */
import { stateOf, stopIfStartedMeanwhile, stopIfThere } from '../vault-data/stop.js';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Nexus3Error, writeFailure } from '../../errors.js';
import { makeFolder, writeFileWhole } from '../../files.js';
import { instanceKey } from '../../protocol/environment.js';
import { renderEngineRecord } from '../../protocol/engine-record.js';
import { CONFIG_FILE, SINCE_FILE } from '../../protocol/layout.js';
import type { InstanceRuntimeState } from '../../runtime/runtime.js';
import { adminOf, hostAddress } from '../access.js';
import { isLocker } from '../desired.js';
import { ownerToBe, writeMark } from '../render.js';
import { asideFolder, exchange } from '../vault-data/aside.js';
import { putUpFence } from '../vault-data/fence.js';
import { ANSWER_WAIT_MS, LOAD_WAIT_MS, pauseAfter } from '../wait.js';
import { contentDifferences, isBeingExpired } from './content.js';
import { writeJournal } from './journal.js';
import type { Restoring } from './restoring.js';
import { holdsRestored, keptFolder, stagedFolder, vaultSpecOf } from './restoring.js';

const POLL_MS = 50;
/** As often as Redis allows (CONFIG_MAX_HZ). */
const HZ_MAX = 500;
/** How long a vault may take to remove keys whose time had passed before it loaded them, in milliseconds. */
const EXPIRY_WAIT_MS = 60_000;
const LOG_LINES = 5;

export async function replaceAndProve(restoring: Restoring): Promise<void> {
  const { world, environment, credentials, journal, progress } = restoring;
  const spec = vaultSpecOf(restoring);
  // Before it is stopped: whatever starts it from now on starts it fenced.
  await putUpFence(world, environment, credentials);
  progress.step(`stop ${instanceKey(spec.id)}`);
  await letItLookOften(restoring);
  await stopIfThere(world, spec);
  progress.done('the vault is stopped');
  await putInPlace(restoring);
  await stopIfStartedMeanwhile(world, spec);
  await writeJournal(world.configuration.dataRoot, { ...journal, phase: 'proving' });
  progress.done('what it held is moved aside, and the restored data are in its place');
  progress.step('start the vault, fenced, and load the restored data');
  await startFenced(restoring);
  await proveContent(restoring);
  if (isLocker(environment)) await proveThatItOpens(restoring);
}

/**
 * A server looks for a signal to end `hz` times a second, which is 10 by default (server.c, serverCron), and nobody can write
 * from then on. One that cannot be asked takes that long.
 */
async function letItLookOften({ world, environment, credentials }: Restoring): Promise<void> {
  try {
    await using admin = await adminOf(world, environment, 'vault', credentials);
    await admin.setConfig('hz', String(HZ_MAX));
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
  }
}

/** By renames; the mark, which alone lets the vault start with the restored data, is written last. */
async function putInPlace(restoring: Restoring): Promise<void> {
  const { world, environment, journal } = restoring;
  const spec = vaultSpecOf(restoring);
  const staged = stagedFolder(world, environment.name);
  try {
    await makeFolder(asideFolder(world, environment.name), { mode: 0o700 });
    if (existsSync(staged)) {
      const since = `${world.clock.now().toISOString()}\n`;
      await writeFileWhole(join(staged, SINCE_FILE), since, { mode: 0o600, owner: await ownerToBe(staged) });
    }
    await exchange(spec.dataDir, keptFolder(restoring), staged);
    if (!holdsRestored(spec.dataDir, journal)) throw new Error(`the restored data are not in ${spec.dataDir}`);
    const owner = await ownerToBe(spec.dataDir);
    // The start script goes by it: what a newer engine wrote is not what lies here any more.
    const record = renderEngineRecord(journal.engine);
    await writeFileWhole(join(spec.configDir, CONFIG_FILE.engine), record, { mode: 0o600, owner });
    await writeMark(spec, { incarnation: journal.incarnation, seq: 0, bytes: 0 }, owner);
  } catch (error) {
    throw writeFailure(spec.dataDir, error);
  }
}

/** @throws Nexus3Error START_FAILED, PORT_TAKEN, NOT_PROVEN */
async function startFenced(restoring: Restoring): Promise<void> {
  const { world, credentials } = restoring;
  const spec = vaultSpecOf(restoring);
  if ((await stateOf(world, spec)) === undefined) {
    await world.runtime.ensureNetwork();
    await world.runtime.create(spec);
  }
  await world.runtime.start(spec);
  const startedAt = world.clock.now().getTime();
  const address = hostAddress(spec);
  for (;;) {
    const view = await world.servers.probe({
      address,
      adminPassword: credentials.admin,
      directives: [],
      masterauth: undefined,
    });
    if (view.state === 'open') return;
    const state = await stateOf(world, spec);
    const waitedMs = world.clock.now().getTime() - startedAt;
    const isLate = waitedMs > (view.state === 'loading' ? LOAD_WAIT_MS : ANSWER_WAIT_MS);
    if (view.state === 'locked' || (view.state === 'unreachable' && hasEnded(state)) || isLate) {
      throw new Nexus3Error('START_FAILED', `${instanceKey(spec.id)} did not come up with the restored data.`, {
        evidence: [`its state: ${view.state}`, ...(await world.runtime.logs(spec, LOG_LINES))],
        hint: `Look at its log: nexus3 logs ${spec.id.env} --vault`,
      });
    }
    await world.clock.sleep(pauseAfter(waitedMs));
  }
}

/** By itself, once at least. */
function hasEnded(state: InstanceRuntimeState | undefined): boolean {
  if (state === undefined || state.restartCount > 0) return true;
  return state.state === 'stopped' || state.state === 'restarting';
}

/** @throws Nexus3Error BACKUP_UNTRUE */
async function proveContent({ world, environment, credentials, journal, progress }: Restoring): Promise<void> {
  await using admin = await adminOf(world, environment, 'vault', credentials);
  const giveUpAt = world.clock.now().getTime() + EXPIRY_WAIT_MS;
  let found = await admin.countContent();
  let differences = contentDifferences(journal.expected, found);
  while (differences.length > 0 && isBeingExpired(journal.expected, found) && world.clock.now().getTime() < giveUpAt) {
    await world.clock.sleep(POLL_MS);
    found = await admin.countContent();
    differences = contentDifferences(journal.expected, found);
  }
  if (differences.length > 0) {
    throw new Nexus3Error('BACKUP_UNTRUE', `The vault of ${environment.name} does not hold what it should.`, {
      evidence: differences,
      hint: `Restore another backup: nexus3 backup list ${environment.name}`,
    });
  }
  progress.done('the restored data are loaded, counted, and as they should be');
}

/** Values sealed with another root key would be restored, and lost all the same. */
async function proveThatItOpens({ world, progress }: Restoring): Promise<void> {
  const shut = await world.locker.custody.whatIsShutBehindFence();
  if (shut !== undefined) throw shut;
  progress.done('the root key opens what Locker holds');
}
