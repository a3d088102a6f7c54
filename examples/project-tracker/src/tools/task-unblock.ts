import { z } from 'zod';
import type { Task } from '../task.js';
import { refuseUnlessThere, RETURN_TASKS, task, taskId } from '../task.js';
import { tool } from '../tool.js';

const UNBLOCK = `
  MATCH (t:Task {id: $id})
  OPTIONAL MATCH (t)-[edge:BLOCKED_BY]->(:Task {id: $blockedBy})
  DELETE edge
  WITH DISTINCT t ${RETURN_TASKS}`;

export const taskUnblock = tool({
  name: 'task_unblock',
  title: 'Let a task not wait for another one',
  description: 'Takes away that `blockedBy` must be done before `id`; nothing happens where that was not so.',
  input: z.object({ id: taskId, blockedBy: taskId }),
  output: task,
  effect: 'write',
  idempotent: true,
  async run(input, store) {
    await refuseUnlessThere(store, [input.id]);
    const [unblocked] = await store.write<Task>(UNBLOCK, input);
    if (unblocked === undefined) throw new Error(`${input.id} was removed meanwhile`);
    return unblocked;
  },
});
