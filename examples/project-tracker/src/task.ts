/** A task, as tools take it and give it back, and the end of every query that returns some. */
import { randomBytes } from 'node:crypto';
import { z } from 'zod';
import { Refused } from './failure.js';
import type { Store } from './store.js';
import { text } from './text.js';

const NAME_CHARACTERS_MAX = 100;
const TITLE_CHARACTERS_MAX = 200;
const NOTES_CHARACTERS_MAX = 10_000;
const HOURS_MAX = 10_000;
const ID_BYTES = 6;

export const project = text(NAME_CHARACTERS_MAX).min(1).describe('Name of a project; project_list shows them');
export const person = text(NAME_CHARACTERS_MAX).min(1).describe('Name of a person');
export const title = text(TITLE_CHARACTERS_MAX).min(1);
export const notes = text(NOTES_CHARACTERS_MAX);
export const status = z.enum(['todo', 'doing', 'done']);
export const due = z.iso.date().describe('A day, like 2026-03-31');
export const hours = z.number().min(0).max(HOURS_MAX).describe('How long it takes, estimated, in hours');
export const taskId = z
  .string()
  .regex(/^t_[0-9a-f]+$/)
  .max(NAME_CHARACTERS_MAX)
  .describe('Id of a task, like t_0123456789ab; task_find shows them');

export const task = z.object({
  id: z.string(),
  project: z.string(),
  title: z.string(),
  notes: z.string(),
  status,
  due: z.string().nullable(),
  hours: z.number().nullable(),
  assignee: z.string().nullable(),
  blockedBy: z.array(z.string()).describe('Ids of tasks that are to be done before and are not yet'),
});
export type Task = z.output<typeof task>;

export const newTaskId = (): string => `t_${randomBytes(ID_BYTES).toString('hex')}`;

/** Stands behind a query that has found or made some tasks `t`. */
export const RETURN_TASKS = `
  MATCH (t)-[:IN]->(p:Project)
  OPTIONAL MATCH (t)-[:ASSIGNED_TO]->(who:Person)
  OPTIONAL MATCH (t)-[:BLOCKED_BY]->(blocker:Task) WHERE blocker.status <> 'done'
  WITH t, p, who, blocker.id AS blockerId ORDER BY blockerId
  WITH t, p, who, collect(blockerId) AS blockedBy
  RETURN t.id AS id, p.name AS project, t.title AS title, t.notes AS notes, t.status AS status,
         t.due AS due, t.hours AS hours, who.name AS assignee, blockedBy`;

/** @throws Refused where one of them is not there */
export async function refuseUnlessThere(store: Store, ids: readonly string[]): Promise<void> {
  const found = await store.read<{ id: string }>('MATCH (t:Task) WHERE t.id IN $ids RETURN t.id AS id', {
    ids: [...ids],
  });
  const missing = ids.filter((id) => !found.some((one) => one.id === id));
  if (missing.length > 0) throw new Refused(`There is no task ${missing.join(', ')}.`, 'Look for it with task_find.');
}
