/**
 * What the graph looks like:
 *   (:Task {id, title, notes, status, due, hours, search, createdAt})-[:IN]->(:Project {name, description, createdAt})
 *   (:Task)-[:ASSIGNED_TO]->(:Person {name})
 *   (:Task)-[:BLOCKED_BY]->(:Task)    never in a circle
 */
import type { EnvironmentClient } from 'nexus3/client';
import { fullTextIndex, rangeIndex, unique } from './schema-steps.js';

export async function makeSchema(client: EnvironmentClient, graph: string): Promise<void> {
  await unique(client, graph, 'Project', 'name');
  await unique(client, graph, 'Person', 'name');
  await unique(client, graph, 'Task', 'id');
  await rangeIndex(client, graph, 'Task', 'status');
  await fullTextIndex(client, graph, 'Task', 'search');
}
