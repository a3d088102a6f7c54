import { z } from 'zod';
import { taskId } from '../task.js';
import { tool } from '../tool.js';

const REMOVE = 'MATCH (t:Task {id: $id}) DELETE t RETURN 1 AS gone';

export const taskRemove = tool({
  name: 'task_remove',
  title: 'Remove a task',
  description:
    'Removes one task for good, with its dependencies: what waited for it waits no more. For work that is finished set the status to done instead.',
  input: z.object({ id: taskId }),
  output: z.object({ removed: z.boolean().describe('False where there was none') }),
  effect: 'destroy',
  idempotent: true,
  async run({ id }, store) {
    return { removed: (await store.write(REMOVE, { id })).length > 0 };
  },
});
