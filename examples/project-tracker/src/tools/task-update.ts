import { z } from 'zod';
import { Refused } from '../failure.js';
import type { Store } from '../store.js';
import type { Task } from '../task.js';
import { due, hours, notes, person, refuseUnlessThere, RETURN_TASKS, status, task, taskId, title } from '../task.js';
import { searchable } from '../text.js';
import { tool } from '../tool.js';

/** Whether it may be begun is asked and answered in the one query that begins it, so no other agent comes between. */
const UPDATE = `
  MATCH (t:Task {id: $id})
  OPTIONAL MATCH (t)-[:BLOCKED_BY]->(open:Task) WHERE open.status <> 'done'
  WITH t, count(open) AS opens
  WHERE opens = 0 OR NOT $begins
  SET t += $changes
  WITH t
  OPTIONAL MATCH (t)-[old:ASSIGNED_TO]->() WHERE $reassigns
  DELETE old
  WITH DISTINCT t
  FOREACH (name IN $assignees | MERGE (who:Person {name: name}) MERGE (t)-[:ASSIGNED_TO]->(who))
  WITH t ${RETURN_TASKS}`;

const ONE = `MATCH (t:Task {id: $id}) WITH t ${RETURN_TASKS}`;

export const taskUpdate = tool({
  name: 'task_update',
  title: 'Change a task',
  description:
    'Changes what is given and leaves the rest; null takes a day, an estimate or a person away. A task that is still blocked can be neither begun nor done.',
  input: z.object({
    id: taskId,
    title: title.optional(),
    notes: notes.optional(),
    status: status.optional(),
    due: due.nullable().optional(),
    hours: hours.nullable().optional(),
    assignee: person.nullable().optional(),
  }),
  output: task,
  effect: 'write',
  idempotent: true,
  async run({ id, assignee, ...changes }, store) {
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    const [updated] = await store.write<Task>(UPDATE, {
      id,
      begins: changes.status === 'doing' || changes.status === 'done',
      changes: { ...Object.fromEntries(given), ...(await searchOf(store, id, changes)) },
      reassigns: assignee !== undefined,
      assignees: typeof assignee === 'string' ? [assignee] : [],
    });
    if (updated !== undefined) return updated;
    await refuseUnlessThere(store, [id]);
    const [blocked] = await store.read<Task>(ONE, { id });
    throw new Refused(
      `${id} is blocked by ${blocked?.blockedBy.join(', ') ?? 'others'}.`,
      'Have those done first, or take the dependency away with task_unblock.',
    );
  },
});

/** What full-text search finds it by, made of title and notes. */
async function searchOf(
  store: Store,
  id: string,
  changes: { readonly title?: string | undefined; readonly notes?: string | undefined },
): Promise<{ readonly search?: string }> {
  if (changes.title === undefined && changes.notes === undefined) return {};
  const [before] = await store.read<Task>(ONE, { id });
  return { search: searchable(changes.title ?? before?.title ?? '', changes.notes ?? before?.notes ?? '') };
}
