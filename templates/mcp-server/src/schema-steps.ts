/** Indexes and constraints, made once. Servers that start at the same time do no harm: the second one finds them there. */
import type { EnvironmentClient } from 'nexus3/client';
import { ConstraintType, EntityType } from 'nexus3/client';

const THERE_ALREADY = /already (indexed|exists)/;

/** Finds nodes by these properties without looking at all of them. */
export async function rangeIndex(
  client: EnvironmentClient,
  graph: string,
  label: string,
  property: string,
): Promise<void> {
  await unlessThere(client.graph(graph).createNodeRangeIndex(label, property));
}

/** Finds nodes by the words in these properties. */
export async function fullTextIndex(
  client: EnvironmentClient,
  graph: string,
  label: string,
  ...properties: readonly string[]
): Promise<void> {
  await unlessThere(client.graph(graph).createNodeFulltextIndex(label, ...properties));
}

/** No two nodes have the same; needs a range index first. */
export async function unique(client: EnvironmentClient, graph: string, label: string, property: string): Promise<void> {
  await rangeIndex(client, graph, label, property);
  await unlessThere(client.graph(graph).constraintCreate(ConstraintType.UNIQUE, EntityType.NODE, label, property));
}

async function unlessThere(making: Promise<unknown>): Promise<void> {
  try {
    await making;
  } catch (error) {
    if (!(error instanceof Error && THERE_ALREADY.test(error.message))) throw error;
  }
}
