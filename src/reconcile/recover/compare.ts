/** Whether a vault and its operational hold the same, by counting on both: keys, and each graph through Cypher. */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import type { Role } from '../../protocol/environment.js';
import type { GraphCounts, KeyCounts } from '../../redis/observation.js';
import { adminOf, credentialsOf } from '../access.js';
import type { Admin, World } from '../world.js';

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
    return await countOne(admin);
  };
  const [vault, operational] = await Promise.all([count('vault'), count('operational')]);
  return { vault, operational };
}

export async function countOne(admin: Pick<Admin, 'countKeys' | 'countGraphs'>): Promise<Counts> {
  const keys = await admin.countKeys();
  return { keys, graphs: await admin.countGraphs() };
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

/** Whether each number of the operational lies between those of its vault, counted before it and after it. */
export function isBetween(before: Counts, operational: Counts, after: Counts): boolean {
  const isWithin = (low: number, middle: number, high: number): boolean =>
    Math.min(low, high) <= middle && middle <= Math.max(low, high);
  const names = new Set([before, operational, after].flatMap(({ graphs }) => graphs.map(({ name }) => name)));
  const [first, middle, last] = [before, operational, after].map(numbersOf);
  return (
    isWithin(lasting(before), lasting(operational), lasting(after)) &&
    [...names].every((name) =>
      GRAPH_NUMBERS.every((number) =>
        isWithin(first?.(name, number) ?? 0, middle?.(name, number) ?? 0, last?.(name, number) ?? 0),
      ),
    )
  );
}

const GRAPH_NUMBERS = ['graphs', 'nodes', 'edges', 'labels', 'indexes', 'constraints'] as const;
type GraphNumber = (typeof GRAPH_NUMBERS)[number];

/** Of a graph that is not there, all are 0. */
function numbersOf({ graphs }: Counts): (name: string, number: GraphNumber) => number {
  const byName = new Map(graphs.map((graph) => [graph.name, { ...graph, graphs: 1 }]));
  return (name, number) => byName.get(name)?.[number] ?? 0;
}

const lasting = ({ keys }: Counts): number => keys.keys - keys.expiring;

function differencesOf({ vault, operational }: Both): readonly string[] {
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
