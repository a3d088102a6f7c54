/** The snapshot of one vault, as it flows into the repository; and what it is waited for before. */
import type { Manifest } from '../../backup/backups.js';
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import type { Progress } from '../../progress.js';
import { adminOf, credentialsOf, hostAddress } from '../access.js';
import { specOf } from '../desired.js';
import { untilEnforced } from '../enforced.js';
import type { EnvironmentFacts } from '../facts.js';
import { serverOf } from '../facts.js';
import type { Admin, World } from '../world.js';
import { flowOf } from './flow.js';

/** What is not in force then is left out, and that is said. */
const ENFORCE_WAIT_MS = 60_000;

type Warn = (text: string) => void;

/** For a constraint that was asked for lately. Of what cannot be asked a snapshot is taken all the same. */
async function untilInForce(
  world: World,
  environment: ConfiguredEnvironment,
  progress: Progress,
  warn: Warn,
): Promise<void> {
  await asked(world, environment, warn, async (admin) => {
    if ((await admin.graphsEnforcing()).length === 0) return;
    progress.step(`wait until the constraints of ${environment.name} are in force`);
    await untilEnforced(admin, world.clock, ENFORCE_WAIT_MS);
  });
}

/** What was asked for since, or is not in force yet. */
async function sayWhatIsLeftOut(world: World, environment: ConfiguredEnvironment, warn: Warn): Promise<void> {
  await asked(world, environment, warn, async (admin) => {
    for (const graph of await admin.graphsEnforcing()) {
      warn(
        `A constraint of the graph ${graph} is still being enforced: it is not in this backup. Make another one later.`,
      );
    }
  });
}

async function asked(
  world: World,
  environment: ConfiguredEnvironment,
  warn: Warn,
  question: (admin: Admin) => Promise<void>,
): Promise<void> {
  try {
    await using admin = await adminOf(world, environment, 'vault', await credentialsOf(world, environment));
    await question(admin);
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    warn(
      `Whether all constraints of its graphs are in force could not be asked; one that is not is not in this backup: ${error.message}`,
    );
  }
}

/** @param warn told what is not in it, though it was asked for @throws Nexus3Error BACKUP_FAILED, DISK_FULL, … */
export async function takeSnapshot(
  world: World,
  facts: EnvironmentFacts,
  version: string,
  progress: Progress,
  warn: Warn,
): Promise<Manifest> {
  const { environment } = facts;
  const { name, kind } = environment;
  const engine = serverOf(facts.vault)?.engine;
  if (engine === undefined) throw new Error(`the vault of ${name} was admitted without an engine`);
  const { backup: password } = await credentialsOf(world, environment);
  const address = hostAddress(specOf(world.configuration, environment, 'vault'));
  await untilInForce(world, environment, progress, warn);
  const flow = flowOf(progress, world.clock, `snapshot of ${name}`);
  await using stream = await world.servers.snapshot(address, password);
  // The vault forks at this moment.
  const createdAt = world.clock.now();
  await sayWhatIsLeftOut(world, environment, warn);
  const { replication } = stream;
  const about = { env: name, kind, version, engine, replication, createdAt };
  const manifest = await world.backups.write(about, stream.chunks, flow.onBytes);
  progress.done(`${name}: ${manifest.id} is in the repository (${flow.told()})`);
  return manifest;
}
