/** One environment: begun, gone on with, finished, or taken back, whichever its journal and its folders say. */
import { existsSync } from 'node:fs';
import { Nexus3Error } from '../../errors.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Progress } from '../../progress.js';
import { credentialsOf, openLocker } from '../access.js';
import { isLocker } from '../desired.js';
import type { EnvironmentFacts } from '../facts.js';
import { differsIn, instancesIn, isForeign } from '../facts.js';
import { look } from '../loop.js';
import { discardAside } from '../vault-data/aside.js';
import type { World } from '../world.js';
import type { RestoredBy, RestoreJournal } from './journal.js';
import { readJournal, writeJournal } from './journal.js';
import { refuseSilentLastCopy } from './keep-operational.js';
import { note, openToAll } from './open.js';
import type { Opened } from './opened.js';
import { openedOf } from './opened.js';
import type { PrepareOptions } from './prepare.js';
import { prepare } from './prepare.js';
import { replaceAndProve } from './replace.js';
import type { Restoring } from './restoring.js';
import { holdsRestored, keptFolder, stagedFolder, vaultSpecOf } from './restoring.js';
import type { RestoreSource } from './source.js';
import { isSameSource, wordsOf } from './source.js';
import { restoreFailed, takeBack } from './take-back.js';

/** `begin`: nothing is under way. `put-back`: what an earlier run has begun is undone, and nothing else. */
export type Way = 'begin' | 'go-on' | 'finish' | 'put-back' | 'put-back-then-begin';

export interface Outcome {
  readonly source: RestoreSource;
  readonly outcome: 'restored' | 'put-back';
  /** What an earlier run had begun was finished. */
  readonly resumed: boolean;
  readonly keys: number | null;
  readonly graphs: number | null;
  readonly keptAside: string | null;
  readonly keptOperational: string | null;
  readonly writesStoppedMs: number | null;
  readonly warnings: readonly string[];
}

export interface Asked {
  readonly by: RestoredBy;
  /** `--abort` */
  readonly abort: boolean;
  /** By `--id` or `--at`; undefined: whatever is newest, or under way. */
  readonly source: RestoreSource | undefined;
}

/** @param opened what has become of them since; only asked for where they were being opened. Pure. @throws Nexus3Error RESTORE_REFUSED */
export function wayOf(env: string, journal: RestoreJournal | undefined, asked: Asked, opened: Opened): Way {
  if (journal === undefined) {
    if (!asked.abort) return 'begin';
    throw new Nexus3Error('RESTORE_REFUSED', `No restore of ${env} is under way, so there is nothing to put back.`, {
      hint: `What earlier restores have replaced is kept in its folder aside/. See: nexus3 check ${env}`,
    });
  }
  if (asked.abort) {
    if (journal.phase !== 'opening') return 'put-back';
    throw new Nexus3Error('RESTORE_REFUSED', `The restored data of ${env} are proven, and may be in use already.`, {
      evidence: [`phase ${journal.phase}: ${wordsOf(journal.source)}`],
      hint:
        opened === 'lost'
          ? `They are lost since: restore anew (nexus3 restore ${env}), or rebuild the vault: nexus3 recover ${env} --vault. What it held before stays in its folder aside/.`
          : `Finish it: nexus3 restore ${env}. What the vault held before stays in its folder aside/.`,
    });
  }
  // There is one copy at most, and it is kept aside like any other that is restored over.
  if (journal.phase === 'opening' && mayBeginAnew(opened, asked)) return 'begin';
  if (journal.phase === 'taking-back') return 'put-back-then-begin';
  if (asked.source !== undefined && !isSameSource(asked.source, journal.source)) {
    throw new Nexus3Error('RESTORE_REFUSED', `Another restore of ${env} was cut off.`, {
      evidence: [`it was to restore ${wordsOf(journal.source)}; phase ${journal.phase}`],
      hint:
        journal.phase === 'opening'
          ? `Finish it first: nexus3 restore ${env}`
          : `Finish it first (nexus3 restore ${env}), or put the old data back: nexus3 restore ${env} --abort`,
    });
  }
  return journal.phase === 'opening' ? 'finish' : 'go-on';
}

/** Data that may be in use already are not replaced unless somebody says by what. */
function mayBeginAnew(opened: Opened, { source }: Asked): boolean {
  return opened === 'lost' || (opened === 'failing' && source !== undefined);
}

/** @throws Nexus3Error FOREIGN_INSTANCE, RESTORE_REFUSED. Pure. */
export function admit(facts: EnvironmentFacts): void {
  const foreign = instancesIn(facts).find(isForeign);
  if (foreign !== undefined) {
    throw new Nexus3Error('FOREIGN_INSTANCE', `${foreign.spec.name} was not made by nexus3, so it is left alone.`, {
      hint: 'Remove that container by hand first; keep its data.',
    });
  }
  const elsewhere = instancesIn(facts).find((instance) => differsIn(instance, 'mount'));
  if (elsewhere === undefined) {
    refuseSilentLastCopy(facts);
    return;
  }
  throw new Nexus3Error('RESTORE_REFUSED', `${elsewhere.spec.name} keeps its data in another folder.`, {
    evidence: (elsewhere.runtime?.differences ?? []).map(({ aspect, actual }) => `${aspect}: ${actual}`),
    hint: `Put that right first: nexus3 check ${facts.environment.name}`,
  });
}

/** What was looked at and chosen. */
export interface Seen {
  readonly facts: EnvironmentFacts;
  readonly options: PrepareOptions;
}

export interface OneOptions {
  readonly asked: Asked;
  /** For the plan, under these very locks: looked at again, it would be the same. */
  readonly seen?: Seen | undefined;
  /** What is restored where nothing is under way. */
  readonly choose: () => Promise<PrepareOptions>;
}

/** Under the locks of the data root and of the repository. @throws Nexus3Error RESTORE_FAILED, and what kept it from beginning */
export async function restoreOne(
  world: World,
  environment: ConfiguredEnvironment,
  { asked, seen, choose }: OneOptions,
  progress: Progress,
): Promise<Outcome> {
  const { dataRoot } = world.configuration;
  const journal = readJournal(dataRoot, environment.name);
  const way = wayOf(environment.name, journal, asked, await openedOf(world, environment, journal));
  const parts = { world, environment, progress };
  if (journal !== undefined && way !== 'begin') {
    // Whoever names what --all has begun means this one.
    const named = asked.by === 'name' ? { ...journal, by: asked.by } : journal;
    const restoring = { ...parts, journal: named, credentials: await credentialsOf(world, environment) };
    if (way === 'finish') return finish(restoring);
    if (way === 'go-on') return replaceThenOpen(restoring, true);
    await takeBack(restoring);
    if (way === 'put-back') return putBack(journal);
  }
  // After something was put back, all of it is another one.
  const { facts, options } =
    (journal === undefined ? seen : undefined) ?? (await lookAndChoose(world, environment, choose));
  const credentials = await completeCredentials(world, facts, progress);
  const prepared = await prepareOrTidyUp(world, facts, { ...options, by: asked.by }, progress);
  return replaceThenOpen({ ...parts, journal: prepared, credentials }, false);
}

/** A mistake in what is asked for comes before anything is made. */
async function lookAndChoose(
  world: World,
  environment: ConfiguredEnvironment,
  choose: OneOptions['choose'],
): Promise<Seen> {
  const facts = await factsOf(world, environment);
  admit(facts);
  return { facts, options: await choose() };
}

/** Journal written: from then on whoever comes next knows what lies here. */
async function prepareOrTidyUp(
  world: World,
  facts: EnvironmentFacts,
  { by, ...options }: PrepareOptions & Pick<RestoreJournal, 'by'>,
  progress: Progress,
): Promise<RestoreJournal> {
  try {
    const prepared = { ...(await prepare(world, facts, options, progress)), by };
    await writeJournal(world.configuration.dataRoot, prepared);
    return prepared;
  } catch (error) {
    // What went wrong first is what counts; what stays is discarded by the next restore.
    await discardAside(world, facts.environment.name, 'vault').catch(() => undefined);
    throw error;
  }
}

async function replaceThenOpen(restoring: Restoring, resumed: boolean): Promise<Outcome> {
  const { world, environment, journal } = restoring;
  const stoppedAt = world.clock.now();
  try {
    if (!isThere(restoring)) throw incomplete(environment.name);
    await replaceAndProve(restoring);
    await writeJournal(world.configuration.dataRoot, { ...journal, phase: 'opening' });
  } catch (error) {
    throw await afterTakingBack(restoring, error);
  }
  return open(restoring, resumed, stoppedAt);
}

/** In their place, or staged: anything else was discarded by a run that was about to put the old data back. */
function isThere(restoring: Restoring): boolean {
  const { world, environment, journal } = restoring;
  const folders = [vaultSpecOf(restoring).dataDir, stagedFolder(world, environment.name)];
  return folders.some((folder) => holdsRestored(folder, journal));
}

function incomplete(env: string): Nexus3Error {
  return new Nexus3Error('RESTORE_FAILED', 'The restored data are not there any more.', {
    hint: `Begin again: nexus3 restore ${env}`,
  });
}

/** @returns the error to be thrown, with what became of the old data */
async function afterTakingBack(restoring: Restoring, cause: unknown): Promise<unknown> {
  let notBack: unknown;
  try {
    await takeBack(restoring);
  } catch (error) {
    notBack = error;
  }
  const defect = [cause, notBack].find((error) => error !== undefined && !(error instanceof Nexus3Error));
  if (defect !== undefined) return defect;
  await note(restoring, 'failed');
  return restoreFailed(restoring, cause, notBack);
}

/** What was proven may have been damaged since: then another restore is the way out. */
async function finish(restoring: Restoring): Promise<Outcome> {
  const { world, environment, journal } = restoring;
  try {
    return await open(restoring, true, world.clock.now());
  } catch (error) {
    const opened = await openedOf(world, environment, journal);
    if (opened === 'well' || !(error instanceof Nexus3Error)) throw error;
    throw new Nexus3Error(error.code, error.message, { evidence: error.evidence, hint: anew(restoring), cause: error });
  }
}

function anew({ environment: { name }, journal: { source } }: Restoring): string {
  const by = source.kind === 'backup' ? `--id ${source.id}` : `--at ${source.at}`;
  return `See: nexus3 logs ${name} --vault. To restore anew, keeping what lies there aside: nexus3 restore ${name} ${by}`;
}

async function open(restoring: Restoring, resumed: boolean, stoppedAt: Date): Promise<Outcome> {
  const { world, journal } = restoring;
  let writesStoppedMs: number | null = null;
  const opened = await openToAll(restoring, () => {
    writesStoppedMs = world.clock.now().getTime() - stoppedAt.getTime();
  });
  return {
    ...outcomeOf(restoring, journal),
    outcome: 'restored',
    resumed,
    ...opened,
    // A run that was cut off has stopped them, and nobody knows when.
    writesStoppedMs: resumed ? null : writesStoppedMs,
  };
}

function putBack(journal: RestoreJournal): Outcome {
  const nothing = { keys: null, graphs: null, keptAside: null, keptOperational: null, writesStoppedMs: null };
  return { source: journal.source, outcome: 'put-back', resumed: true, warnings: [], ...nothing };
}

function outcomeOf(
  restoring: Restoring,
  { source, keptOperational }: RestoreJournal,
): Pick<Outcome, 'source' | 'keptAside' | 'keptOperational'> {
  const kept = keptFolder(restoring);
  return {
    source,
    keptAside: existsSync(kept) ? kept : null,
    keptOperational:
      keptOperational === null
        ? null
        : keptFolder({ ...restoring, journal: { ...restoring.journal, kept: keptOperational } }),
  };
}

/** Locker itself is restored without asking it. */
export async function factsOf(world: World, environment: ConfiguredEnvironment): Promise<EnvironmentFacts> {
  const { diagnosed, lockerError } = await look(world, [environment]);
  const [item] = diagnosed;
  if (item === undefined) throw new Error(`no facts of ${environment.name}`);
  if (lockerError !== undefined && !(isLocker(environment) && lockerError.code === 'LOCKER_UNREACHABLE')) {
    throw lockerError;
  }
  if (item.facts.unreadable !== undefined) throw item.facts.unreadable;
  return item.facts;
}

async function completeCredentials(
  world: World,
  { environment, missingCredentials }: EnvironmentFacts,
  progress: Progress,
): Promise<Restoring['credentials']> {
  if (!isLocker(environment) && missingCredentials !== undefined && missingCredentials.length > 0) {
    await (await openLocker(world)).generate(environment.name, missingCredentials, world.clock.now());
    progress.done(`Locker has made ${missingCredentials.join(', ')} of ${environment.name}`);
  }
  return credentialsOf(world, environment);
}
