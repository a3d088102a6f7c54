/**
 * `restore ENV --into NAME`: a new environment beside, with passwords of its own, that begins with ENV's backup or past.
 * When it fails nothing of it stays; cut off, the next run of the same command goes on.
 */
import { Nexus3Error } from '../../errors.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Progress } from '../../progress.js';
import type { Environment } from '../../protocol/environment.js';
import type { CreateOptions } from '../create.js';
import { chooseEnvironment, refuseBadName } from '../create.js';
import { specOf, specsOf } from '../desired.js';
import { readFolders } from '../folder.js';
import { takeAway } from '../remove.js';
import type { World } from '../world.js';
import { readJournal, seeRestore } from './journal.js';
import { restoreOne, wayOf } from './one.js';
import { openedOf } from './opened.js';
import type { PlannedRestore } from './plan.js';
import { planBegin, planResumed } from './plan.js';
import type { RestoredEnvironment, RestoreOptions } from './report.js';
import { askedOf, historyFolder, isPullNeeded, planUnknown, pull, sourceFor } from './request.js';
import { hasRemains } from './remains.js';
import type { ChosenSource } from './source.js';
import { Steps } from './steps.js';

export interface Beside {
  readonly from: string;
  readonly into: string;
}

export async function planInto(world: World, { from, into }: Beside, options: RestoreOptions): Promise<PlannedRestore> {
  const existing = await admitName(world, { from, into }, options);
  const journal = existing === undefined ? undefined : readJournal(world.configuration.dataRoot, into);
  const opened = existing === undefined ? 'well' : await openedOf(world, existing, journal);
  const way = wayOf(into, journal, askedOf(from, options), opened);
  if (journal !== undefined && way !== 'begin') return planResumed(into, journal.source, way);
  if (await isPullNeeded(world, from, options)) return planUnknown(world, into, from);
  const chosen = await sourceFor(world, from, options, historyFolder(world, from));
  const environment = existing ?? (await chooseEnvironment(world, shapeOf(world, { from, into }, options, chosen)));
  return planBegin({ environment, facts: undefined, from, chosen });
}

export async function restoreInto(
  world: World,
  { from, into }: Beside,
  options: RestoreOptions,
  progress: Progress,
): Promise<RestoredEnvironment> {
  const startedAt = world.clock.now().getTime();
  const steps = new Steps(progress);
  const existing = await admitName(world, { from, into }, options);
  const historyOf = historyFolder(world, from);
  const choose = async (): Promise<ChosenSource> => {
    if (await isPullNeeded(world, from, options)) await pull(world, [from], steps);
    return sourceFor(world, from, options, historyOf);
  };
  const { grown, environment } =
    existing === undefined
      ? await add(world, { from, into }, options, await choose(), steps)
      : { grown: world, environment: existing };
  try {
    const outcome = await restoreOne(
      grown,
      environment,
      {
        asked: askedOf(from, options),
        choose: async () => ({ from, chosen: await choose(), historyOf }),
      },
      steps,
    );
    return {
      env: into,
      from,
      ...outcome,
      steps: steps.taken,
      durationMs: world.clock.now().getTime() - startedAt,
      error: null,
    };
  } catch (error) {
    await undo(grown, environment, steps);
    throw error;
  }
}

/**
 * What went wrong first is what counts. What is proven and half open is finished by the next run; and where data lie, they
 * are not this command's to delete.
 */
async function undo(world: World, environment: ConfiguredEnvironment, progress: Progress): Promise<void> {
  const { name } = environment;
  if (seeRestore(world.configuration.dataRoot, name) !== undefined) return;
  try {
    if (await hasRemains(world, name)) {
      progress.note(`${name} stays, because data lie in its folder (nexus3 remove ${name})`);
      return;
    }
    await takeAway(world, environment, { deleteData: true }, progress);
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    progress.note(`${name} could not be taken away again: ${error.message} (nexus3 remove ${name})`);
  }
}

async function add(
  world: World,
  beside: Beside,
  options: RestoreOptions,
  chosen: ChosenSource,
  progress: Progress,
): Promise<{ readonly grown: World; readonly environment: ConfiguredEnvironment }> {
  const added = await chooseEnvironment(world, shapeOf(world, beside, options, chosen));
  const grown = await world.addEnvironment(added);
  const environment = grown.configuration.environments.find(({ name }) => name === beside.into);
  if (environment === undefined) throw new Error(`${beside.into} is not in the configuration that it was added to`);
  progress.done(`written to ${grown.configuration.file ?? 'nexus3.yaml'}`);
  return { grown, environment };
}

/** Of the same kind as the one that it comes from. */
function shapeOf(
  world: World,
  { from, into }: Beside,
  { vaultPort }: RestoreOptions,
  chosen: ChosenSource,
): CreateOptions {
  const configured = world.configuration.environments.find(({ name }) => name === from);
  const kind: Environment['kind'] | undefined = chosen.kind === 'backup' ? chosen.manifest.kind : configured?.kind;
  return { name: into, secure: kind === 'secure', vaultPort };
}

/**
 * A new name; or the one that a run of this command has added before it was cut off: nothing was ever in it, or its journal
 * says that it is restored from there.
 * @throws Nexus3Error NAME_INVALID, ENVIRONMENT_EXISTS
 */
async function admitName(
  world: World,
  { from, into }: Beside,
  { vaultPort }: RestoreOptions,
): Promise<ConfiguredEnvironment | undefined> {
  refuseBadName(into);
  const existing = world.configuration.environments.find(({ name }) => name === into);
  if (existing === undefined) return undefined;
  const journal = readJournal(world.configuration.dataRoot, into);
  const isOurs =
    from !== into && (journal === undefined ? await isUnused(world, existing) : journal.source.env === from);
  if (isOurs && (vaultPort === undefined || vaultPort === existing.vaultPort)) return existing;
  if (isOurs) throw otherPort(existing, vaultPort);
  throw new Nexus3Error('ENVIRONMENT_EXISTS', `There is an environment ${into} already.`, {
    hint: `Choose another name. To restore what ${into} itself held: nexus3 restore ${into}`,
  });
}

function otherPort({ name, vaultPort }: ConfiguredEnvironment, wanted: number | undefined): Nexus3Error {
  const ports = `with the vault port ${String(vaultPort)}, not ${String(wanted)}`;
  return new Nexus3Error('ENVIRONMENT_EXISTS', `There is an environment ${name} already, ${ports}.`, {
    hint: `Go on with that: leave --vault-port out. Or take it away first: nexus3 remove ${name}`,
  });
}

async function isUnused(world: World, environment: ConfiguredEnvironment): Promise<boolean> {
  const { instances } = await world.runtime.observe(specsOf(world.configuration, [environment]));
  const { mark } = readFolders(specOf(world.configuration, environment, 'vault'), undefined);
  return instances.size === 0 && mark === undefined && !(await hasRemains(world, environment.name));
}
