/** What the graph looks like: (:Note {id, title, text, search, createdAt})-[:ABOUT]->(:Topic {name}) */
import type { EnvironmentClient } from 'nexus3/client';
import { fullTextIndex, unique } from './schema-steps.js';

export async function makeSchema(client: EnvironmentClient, graph: string): Promise<void> {
  await unique(client, graph, 'Note', 'id');
  await unique(client, graph, 'Topic', 'name');
  await fullTextIndex(client, graph, 'Note', 'search');
}
