/**
 * Everything that can go wrong with a backup goes wrong here, while the vault still serves: it is read and proven to be the
 * one that was written, and, where nobody has yet, loaded and counted. Nothing that serves is touched. Cut off here, a
 * restore leaves only `aside/vault-restored`, which the next one removes.
 */
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { Nexus3Error } from '../../errors.js';
import { makeFolder, readIfThere } from '../../files.js';
import type { EngineVersion } from '../../protocol/engine-record.js';
import { canRead, formatModuleVersion } from '../../protocol/engine-record.js';
import { CONFIG_FILE } from '../../protocol/layout.js';
import type { Progress } from '../../progress.js';
import type { ContentCounts } from '../../redis/observation.js';
import type { InstanceSpec } from '../../runtime/runtime.js';
import { flowOf } from '../backup/flow.js';
import type { EnvironmentFacts } from '../facts.js';
import { isFenced, isUp, serverOf } from '../facts.js';
import type { Owner } from '../render.js';
import { newIncarnation, ownerToBe } from '../render.js';
import { asideFolder, keptName, stampOf } from '../vault-data/aside.js';
import { fillFromSnapshot, stage } from '../vault-data/stage.js';
import type { World } from '../world.js';
import { contentDifferences } from './content.js';
import type { RestoreJournal } from './journal.js';
import { keepOperational } from './keep-operational.js';
import { engineAtHand, loadStaged, settleStaged } from './proof.js';
import { stagedFolder } from './restoring.js';
import type { ChosenSource } from './source.js';
import { sourceOf } from './source.js';

/** Left free on the disk besides what is restored, in bytes: for what servers and nexus3 write meanwhile. */
const ROOM_BYTES_MIN = 16 * 1024 * 1024;

export interface PrepareOptions {
  /** Whose backup or history it is. */
  readonly from: string;
  readonly chosen: ChosenSource;
  /** With a history: the vault's data folder, where there is one. */
  readonly historyOf: string | undefined;
}

/** @throws Nexus3Error BACKUP_TOO_NEW, BACKUP_DAMAGED, BACKUP_UNTRUE, TIME_NOT_COVERED, DISK_FULL, … */
export async function prepare(
  world: World,
  facts: EnvironmentFacts,
  options: PrepareOptions,
  progress: Progress,
): Promise<Omit<RestoreJournal, 'by'>> {
  const { environment, vault } = facts;
  const { chosen } = options;
  const engine = await engineOf(world, facts, chosen);
  if (chosen.kind === 'backup') refuseTooNew(chosen, engine);
  await refuseWithoutRoom(world, environment.name, chosen);
  const incarnation = newIncarnation();
  const folder = stagedFolder(world, environment.name);
  const owner = await ownerOf(world, vault.spec);
  await stage({ folder, incarnation, owner }, (appendOnly) => fill(world, options, appendOnly, owner, progress));
  progress.done(
    chosen.kind === 'backup'
      ? 'the backup is read, and is the one that was written'
      : 'the past is cut out of the history',
  );
  const stamp = stampOf(world.clock.now());
  return {
    env: environment.name,
    phase: 'replacing',
    startedAt: world.clock.now().toISOString(),
    source: sourceOf(options.from, chosen),
    incarnation,
    engine: chosen.kind === 'backup' ? chosen.manifest.engine : engine,
    expected: await expectedContent(world, facts, chosen, progress),
    kept: keptName('vault', stamp),
    keptOperational: await keepOperational(world, facts, keptName('operational', stamp), progress),
    before: {
      mark: (await readIfThere(join(vault.spec.configDir, CONFIG_FILE.mark))) ?? null,
      engine: (await readIfThere(join(vault.spec.configDir, CONFIG_FILE.engine))) ?? null,
      // What an earlier restore had proven needs no fence any more, whoever it was meant for.
      fenced: isFenced(facts) && facts.restore === undefined,
      existed: vault.runtime !== undefined,
      ran: isUp(vault) || vault.runtime?.state === 'restarting',
    },
  };
}

/**
 * The one that will load it. It runs; or it was last seen, and the start script lets no older one come after it; or it is
 * started for a moment with nothing.
 */
async function engineOf(
  world: World,
  { vault, environment }: EnvironmentFacts,
  chosen: ChosenSource,
): Promise<EngineVersion> {
  const known = serverOf(vault)?.engine ?? vault.folder.engine;
  if (known !== undefined && (chosen.kind === 'history' || canRead(known, chosen.manifest.engine))) return known;
  return serverOf(vault)?.engine ?? (await engineAtHand(world, environment));
}

function refuseTooNew({ manifest }: Extract<ChosenSource, { kind: 'backup' }>, engine: EngineVersion): void {
  if (canRead(engine, manifest.engine)) return;
  throw new Nexus3Error('BACKUP_TOO_NEW', `The backup ${manifest.id} cannot be read by the engine that is here.`, {
    evidence: [`it was made by ${describeEngine(manifest.engine)}`, `here is ${describeEngine(engine)}`],
    hint: 'Nothing was changed. Install that engine or a newer one (engine: or image: in nexus3.yaml), then run it again.',
  });
}

function describeEngine({ kind, version, graphModule }: EngineVersion): string {
  return `${kind} ${version} ${graphModule === 0 ? 'without the graph module' : `with graph module ${formatModuleVersion(graphModule)}`}`;
}

async function refuseWithoutRoom(world: World, env: string, chosen: ChosenSource): Promise<void> {
  // A history is loaded beside, and what was loaded is saved: as many bytes again, at most.
  const needed = chosen.kind === 'backup' ? chosen.manifest.snapshot.rdbBytes : 2 * chosen.plan.bytes;
  const aside = asideFolder(world, env);
  await makeFolder(aside, { mode: 0o700 });
  const { bavail, bsize } = await statfs(aside);
  const free = bavail * bsize;
  if (free >= needed + ROOM_BYTES_MIN) return;
  throw new Nexus3Error('DISK_FULL', `There is no room left to restore ${env}.`, {
    evidence: [`${String(needed)} bytes are to be restored, and ${String(free)} are free at ${aside}`],
    hint: 'Nothing was changed. Free some space on that file system; what earlier restores have kept lies there, too: nexus3 aside list',
  });
}

/** Who owns the vault's data now, or would own new ones. Only root can give files to somebody else. */
async function ownerOf(world: World, spec: InstanceSpec): Promise<Owner | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  return (await ownerToBe(spec.dataDir)) ?? world.runtime.newFolderOwner();
}

async function fill(
  world: World,
  { from, chosen, historyOf }: PrepareOptions,
  appendOnly: string,
  owner: Owner | undefined,
  progress: Progress,
): Promise<void> {
  const { onBytes } = flowOf(progress, world.clock, 'read what is restored');
  if (chosen.kind === 'backup') {
    const { manifest } = chosen;
    await fillFromSnapshot(appendOnly, (path) => world.backups.extract(manifest, path, owner, onBytes));
    return;
  }
  const at = new Date(chosen.plan.at);
  await world.backups.history.extract(from, historyOf, at, { folder: appendOnly, owner, onBytes });
}

/** As somebody has counted it who had loaded it; otherwise it is loaded and counted now, beside the vault that serves. */
async function expectedContent(
  world: World,
  facts: EnvironmentFacts,
  chosen: ChosenSource,
  progress: Progress,
): Promise<ContentCounts> {
  const known = chosen.kind === 'backup' ? chosen.manifest.content : null;
  if (chosen.kind === 'backup' && known !== null && chosen.manifest.verification !== null) return known;
  progress.step('load it beside the vault, and count it');
  const counted = await (chosen.kind === 'history' ? settleStaged : loadStaged)(world, facts.environment);
  const differences = known === null ? [] : contentDifferences(known, counted);
  if (differences.length > 0) {
    throw new Nexus3Error('BACKUP_UNTRUE', 'The backup does not hold what its manifest says.', {
      evidence: differences,
      hint: `Nothing was changed. Restore another one: nexus3 backup list ${facts.environment.name}`,
    });
  }
  progress.done('it was loaded beside the vault, and counted');
  return counted;
}
