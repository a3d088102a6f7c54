/** The way out when nothing better is left: what the vault's folder holds now becomes the truth. */
import type { Progress } from '../../progress.js';
import { credentialsOf } from '../access.js';
import { moveAside } from '../vault-data/aside.js';
import { bookkeepAll } from '../check.js';
import { countBoth } from './compare.js';
import type { EnvironmentFacts } from '../facts.js';
import { guardOf, instancesIn } from '../facts.js';
import { look } from '../loop.js';
import { perform } from '../perform.js';
import type { Recovered } from './recovered.js';
import { newIncarnation, ownerToBe, renderInstance, writeBirth, writeMark } from '../render.js';
import { writeSince } from '../vault-data/stage.js';
import { proveWriteAndRead, untilLoaded } from '../wait.js';
import type { World } from '../world.js';

/** The operational's data are moved aside before the vault may start, and are never discarded. */
export async function acceptLoss(world: World, facts: EnvironmentFacts, progress: Progress): Promise<Recovered> {
  const { environment, vault, operational } = facts;
  for (const instance of [...instancesIn(facts)].reverse()) {
    if (instance.runtime !== undefined) await world.runtime.stop(instance.spec);
  }
  progress.done('stopped');
  const keptAside =
    operational?.folder.hasData === true ? await moveAside(world, operational.spec, { keep: true }) : null;
  if (keptAside !== null) progress.done(`the operational’s data are kept in ${keptAside}`);
  await accept(world, facts);
  progress.done('what the vault’s folder holds is now the truth');
  const credentials = await credentialsOf(world, environment);
  await renderInstance(world, environment, vault.spec, credentials, { fenced: false });
  for (const instance of instancesIn(facts)) {
    await perform(world, { kind: 'render', on: instance.id }, progress);
    if (instance.runtime === undefined) await world.runtime.create(instance.spec);
    await perform(world, { kind: 'start', on: instance.id }, progress);
  }
  if (operational === undefined) await untilLoaded(world, environment, 'vault');
  else await perform(world, { kind: 'wait-for-link', on: operational.id }, progress);
  const ms = await proveWriteAndRead(world, environment);
  progress.done(`written and read in ${ms.toFixed(1)} ms`);
  await bookkeepAll(await look(world, [environment]));
  const counts = operational === undefined ? undefined : (await countBoth(world, environment)).vault;
  return { keys: counts?.keys.keys ?? 0, graphs: counts?.graphs.length ?? 0, keptAside };
}

/** A new incarnation for an empty folder; for an older one its own, marked where it is. The mark comes last. */
async function accept(world: World, facts: EnvironmentFacts): Promise<void> {
  const { vault } = facts;
  const verdict = guardOf(facts);
  if (verdict.state !== 'held') return;
  const { birth, aof } = vault.folder.vault;
  const whole = aof !== undefined && aof.missingFiles.length === 0;
  const incarnation = verdict.code === 'vault-behind' && birth !== undefined ? birth.incarnation : newIncarnation();
  if (!whole) await moveAside(world, vault.spec, { keep: true });
  const owner = await ownerToBe(vault.spec.dataDir);
  if (whole) await writeSince(vault.spec.dataDir, world.clock.now(), owner);
  await writeBirth(vault.spec, { state: whole ? 'born' : 'unborn', incarnation }, owner);
  await writeMark(vault.spec, { incarnation, seq: whole ? aof.seq : 0, bytes: whole ? aof.bytes : 0 }, owner);
}
