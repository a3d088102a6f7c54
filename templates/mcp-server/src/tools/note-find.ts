import { z } from 'zod';
import { cursorInput, cursorOutput, pageOf, readCursor } from '../cursor.js';
import type { Note } from '../note.js';
import { note, topic } from '../note.js';
import { searchFor, text } from '../text.js';
import { tool } from '../tool.js';

const NOTES_MAX = 50;
const NOTES_DEFAULT = 20;
const WORDS_CHARACTERS_MAX = 200;

const ALL = 'MATCH (n:Note)';
const WITH_WORDS = `CALL db.idx.fulltext.queryNodes('Note', $search) YIELD node AS n`;
const PAGE = `
  WITH n
  WHERE $afterId = '' OR n.createdAt < $after OR (n.createdAt = $after AND n.id > $afterId)
  OPTIONAL MATCH (n)-[:ABOUT]->(t:Topic)
  WITH n, t.name AS name ORDER BY name
  WITH n, collect(name) AS topics
  WHERE $topic = '' OR $topic IN topics
  RETURN n.id AS id, n.title AS title, n.text AS text, topics, n.createdAt AS createdAt
  ORDER BY createdAt DESC, id
  LIMIT $rows`;

export const noteFind = tool({
  name: 'note_find',
  title: 'Find notes',
  description:
    'Notes, the newest first: all of them, those with all of some words in title or text, those about a topic.',
  input: z.object({
    words: text(WORDS_CHARACTERS_MAX).optional().describe('Each may be the beginning of a word'),
    topic: topic.optional(),
    limit: z.int().min(1).max(NOTES_MAX).default(NOTES_DEFAULT),
    cursor: cursorInput,
  }),
  output: z.object({ notes: z.array(note), nextCursor: cursorOutput }),
  effect: 'read',
  idempotent: true,
  async run({ words = '', topic: about = '', limit, cursor }, store) {
    const search = searchFor(words);
    const query = `${search === '' ? ALL : WITH_WORDS}${PAGE}`;
    const found = await store.read<Note>(query, { ...readCursor(cursor), search, topic: about, rows: limit + 1 });
    const { rows, ...more } = pageOf(found, limit, ({ createdAt, id }) => [createdAt, id]);
    return { notes: [...rows], ...more };
  },
});
