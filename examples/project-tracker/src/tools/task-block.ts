import { z } from 'zod';
import { Refused } from '../failure.js';
import type { Task } from '../task.js';
import { refuseUnlessThere, RETURN_TASKS, task, taskId } from '../task.js';
import { tool } from '../tool.js';

/**
 * A graph takes one write at a time, so of two agents that would close a circle together the second one finds the first
 * one’s edge, and is refused.
 */
const BLOCK = `
  MATCH (t:Task {id: $id}), (b:Task {id: $blockedBy})
  OPTIONAL MATCH circle = (b)-[:BLOCKED_BY*0..]->(t)
  WITH t, b, count(circle) AS circles
  WHERE circles = 0
  MERGE (t)-[:BLOCKED_BY]->(b)
  WITH t ${RETURN_TASKS}`;

export const taskBlock = tool({
  name: 'task_block',
  title: 'Make a task wait for another one',
  description: 'Says that `blockedBy` must be done before `id`. Refused where that would close a circle.',
  input: z.object({ id: taskId, blockedBy: taskId }),
  output: task,
  effect: 'write',
  idempotent: true,
  async run(input, store) {
    const [blocked] = await store.write<Task>(BLOCK, input);
    if (blocked !== undefined) return blocked;
    await refuseUnlessThere(store, [input.id, input.blockedBy]);
    throw new Refused(
      `${input.blockedBy} waits for ${input.id} itself, so neither could ever be done.`,
      'task_neighbours shows over which tasks; task_unblock takes one dependency away.',
    );
  },
});
