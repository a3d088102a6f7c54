/** The snapshot of one vault, as it flows into the repository; and what it is waited for before. */
import type { Manifest } from '../../backup/backups.js';
import type { Progress } from '../../progress.js';
import { adminOf, credentialsOf, hostAddress } from '../access.js';
import { specOf } from '../desired.js';
import { untilEnforced } from '../enforced.js';
import type { EnvironmentFacts } from '../facts.js';
import { serverOf } from '../facts.js';
import type { World } from '../world.js';
import { flowOf } from './flow.js';

/** What is not in force then is left out, and that is said. */
const ENFORCE_WAIT_MS = 60_000;

/** For a constraint that was asked for lately. @returns what will not be in the snapshot */
export async function untilInForce(
  world: World,
  { environment }: EnvironmentFacts,
  progress: Progress,
): Promise<readonly string[]> {
  await using admin = await adminOf(world, environment, 'vault', await credentialsOf(world, environment));
  if ((await admin.graphsEnforcing()).length === 0) return [];
  progress.step(`wait until the constraints of ${environment.name} are in force`);
  const graphs = await untilEnforced(admin, world.clock, ENFORCE_WAIT_MS);
  return graphs.map(
    (graph) =>
      `A constraint of the graph ${graph} is still being enforced: it is not in this backup. Make another one later.`,
  );
}

/** @throws Nexus3Error BACKUP_FAILED, DISK_FULL, … */
export async function takeSnapshot(
  world: World,
  facts: EnvironmentFacts,
  version: string,
  progress: Progress,
): Promise<Manifest> {
  const { environment } = facts;
  const { name, kind } = environment;
  const engine = serverOf(facts.vault)?.engine;
  if (engine === undefined) throw new Error(`the vault of ${name} was admitted without an engine`);
  const { backup: password } = await credentialsOf(world, environment);
  const address = hostAddress(specOf(world.configuration, environment, 'vault'));
  const flow = flowOf(progress, world.clock, `snapshot of ${name}`);
  await using stream = await world.servers.snapshot(address, password);
  // The vault forks at this moment.
  const createdAt = world.clock.now();
  const { replication } = stream;
  const about = { env: name, kind, version, engine, replication, createdAt };
  const manifest = await world.backups.write(about, stream.chunks, flow.onBytes);
  progress.done(`${name}: ${manifest.id} is in the repository (${flow.told()})`);
  return manifest;
}
