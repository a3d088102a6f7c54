import { z } from 'zod';
import { tool } from '../tool.js';

const ID_CHARACTERS_MAX = 50;
const REMOVE = 'MATCH (n:Note {id: $id}) DELETE n RETURN 1 AS gone';

export const noteRemove = tool({
  name: 'note_remove',
  title: 'Remove a note',
  description: 'Removes one note for good. `removed` is false when there was none with that id.',
  input: z.object({ id: z.string().min(1).max(ID_CHARACTERS_MAX).describe('From note_add or note_find') }),
  output: z.object({ removed: z.boolean() }),
  effect: 'destroy',
  idempotent: true,
  async run({ id }, store) {
    return { removed: (await store.write(REMOVE, { id })).length > 0 };
  },
});
