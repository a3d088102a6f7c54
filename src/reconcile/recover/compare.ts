/** Whether a vault and its operational hold the same, by counting on both: keys, and each graph through Cypher. */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import type { Role } from '../../protocol/environment.js';
import type { GraphCounts, KeyCounts } from '../../redis/observation.js';
import { adminOf, credentialsOf } from '../access.js';
import type { World } from '../world.js';

export interface Counts {
  readonly keys: KeyCounts;
  readonly graphs: readonly GraphCounts[];
}

export interface Both {
  readonly vault: Counts;
  readonly operational: Counts;
}

export async function countBoth(world: World, environment: ConfiguredEnvironment): Promise<Both> {
  const credentials = await credentialsOf(world, environment);
  const count = async (role: Role): Promise<Counts> => {
    await using admin = await adminOf(world, environment, role, credentials);
    const keys = await admin.countKeys();
    return { keys, graphs: await admin.countGraphs() };
  };
  const [vault, operational] = await Promise.all([count('vault'), count('operational')]);
  return { vault, operational };
}

/**
 * Keys that expire may already be gone on the vault, which alone decides about them, so they are not compared.
 * @throws NOT_PROVEN saying what differs
 */
export function provenSame(
  environment: ConfiguredEnvironment,
  { vault, operational }: Both,
): { readonly keys: number; readonly graphs: number } {
  const differences = differencesOf({ vault, operational });
  if (differences.length === 0) return { keys: vault.keys.keys, graphs: vault.graphs.length };
  throw new Nexus3Error('NOT_PROVEN', `The vault and the operational of ${environment.name} do not hold the same.`, {
    evidence: differences.slice(0, DIFFERENCES_SHOWN_MAX),
    hint: `Nothing was discarded. If somebody writes to it right now, run the command again; see: nexus3 check ${environment.name}`,
  });
}

export function areSame(both: Both): boolean {
  return differencesOf(both).length === 0;
}

function differencesOf({ vault, operational }: Both): readonly string[] {
  const lasting = ({ keys }: Counts): number => keys.keys - keys.expiring;
  const differences: string[] = [];
  if (lasting(vault) !== lasting(operational)) {
    differences.push(`lasting keys: vault ${String(lasting(vault))}, operational ${String(lasting(operational))}`);
  }
  const names = new Set([...vault.graphs, ...operational.graphs].map(({ name }) => name));
  for (const name of names) {
    const [left, right] = [vault, operational].map(({ graphs }) =>
      JSON.stringify(graphs.find((graph) => graph.name === name) ?? null),
    );
    if (left !== right) differences.push(`graph ${name}: vault ${String(left)}, operational ${String(right)}`);
  }
  return differences;
}

const DIFFERENCES_SHOWN_MAX = 10;
