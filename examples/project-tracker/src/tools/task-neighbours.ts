import { z } from 'zod';
import { Refused } from '../failure.js';
import { status, taskId } from '../task.js';
import { tool } from '../tool.js';

const NEIGHBOURS_MAX = 200;

const neighbour = z.object({ id: z.string(), title: z.string(), status });
const neighbours = z.object({
  blockedBy: z.array(neighbour).describe('What must be done before it and is not, over however many others'),
  blocks: z.array(neighbour).describe('What waits for it, over however many others'),
});

const NEIGHBOURS = `
  MATCH (t:Task {id: $id})
  OPTIONAL MATCH (t)-[:BLOCKED_BY*1..]->(b:Task) WHERE b.status <> 'done'
  WITH t, collect(DISTINCT {id: b.id, title: b.title, status: b.status}) AS blockedBy
  OPTIONAL MATCH (w:Task)-[:BLOCKED_BY*1..]->(t)
  WITH blockedBy, collect(DISTINCT {id: w.id, title: w.title, status: w.status}) AS blocks
  RETURN [b IN blockedBy WHERE b.id IS NOT NULL][0..${String(NEIGHBOURS_MAX)}] AS blockedBy,
         [w IN blocks WHERE w.id IS NOT NULL][0..${String(NEIGHBOURS_MAX)}] AS blocks`;

export const taskNeighbours = tool({
  name: 'task_neighbours',
  title: 'What blocks a task, and what it blocks',
  description: `All tasks that one waits for, and all that wait for it, also over others; at most ${String(NEIGHBOURS_MAX)} of each.`,
  input: z.object({ id: taskId }),
  output: neighbours,
  effect: 'read',
  idempotent: true,
  async run({ id }, store) {
    const [found] = await store.read<z.output<typeof neighbours>>(NEIGHBOURS, { id });
    if (found === undefined) throw new Refused(`There is no task ${id}.`, 'Look for it with task_find.');
    return found;
  },
});
