import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { body, note, title, topics } from '../note.js';
import { searchable } from '../text.js';
import { tool } from '../tool.js';

const ADD = `
  CREATE (n:Note {id: $id, title: $title, text: $text, search: $search, createdAt: $createdAt})
  WITH n UNWIND $topics AS name
  MERGE (t:Topic {name: name})
  MERGE (n)-[:ABOUT]->(t)`;

export const noteAdd = tool({
  name: 'note_add',
  title: 'Add a note',
  description: 'Keeps a note about some topics. Gives it back with the id that note_remove takes.',
  input: z.object({ title, text: body.default(''), topics: topics.default([]) }),
  output: note,
  effect: 'write',
  idempotent: false,
  async run(input, store) {
    const added = {
      ...input,
      id: randomUUID(),
      topics: [...new Set(input.topics)].toSorted(),
      createdAt: new Date().toISOString(),
    };
    await store.write(ADD, { ...added, search: searchable(added.title, added.text) });
    return added;
  },
});
