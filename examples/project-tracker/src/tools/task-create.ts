import { z } from 'zod';
import { Refused } from '../failure.js';
import type { Task } from '../task.js';
import {
  due,
  hours,
  newTaskId,
  notes,
  person,
  project,
  refuseUnlessThere,
  RETURN_TASKS,
  task,
  taskId,
  title,
} from '../task.js';
import { searchable } from '../text.js';
import { tool } from '../tool.js';

const BLOCKERS_MAX = 50;

/** Nothing waits for a new task yet, so it closes no circle. */
const CREATE = `
  MATCH (p:Project {name: $project})
  OPTIONAL MATCH (b:Task) WHERE b.id IN $blockedBy
  WITH p, collect(b) AS blockers
  WHERE size(blockers) = size($blockedBy)
  CREATE (t:Task {id: $id, title: $title, notes: $notes, status: 'todo', due: $due, hours: $hours, search: $search,
                  createdAt: $createdAt})-[:IN]->(p)
  FOREACH (b IN blockers | CREATE (t)-[:BLOCKED_BY]->(b))
  FOREACH (name IN $assignees | MERGE (who:Person {name: name}) CREATE (t)-[:ASSIGNED_TO]->(who))
  WITH t ${RETURN_TASKS}`;

export const taskCreate = tool({
  name: 'task_create',
  title: 'Create a task',
  description: 'Adds a task to a project, to be done once the tasks in `blockedBy` are. Gives it back with its id.',
  input: z.object({
    project,
    title,
    notes: notes.default(''),
    due: due.optional(),
    hours: hours.optional(),
    assignee: person.optional(),
    blockedBy: z.array(taskId).max(BLOCKERS_MAX).default([]),
  }),
  output: task,
  effect: 'write',
  idempotent: false,
  async run({ assignee, ...input }, store) {
    const blockedBy = [...new Set(input.blockedBy)];
    const [created] = await store.write<Task>(CREATE, {
      ...input,
      id: newTaskId(),
      due: input.due ?? null,
      hours: input.hours ?? null,
      blockedBy,
      assignees: assignee === undefined ? [] : [assignee],
      search: searchable(input.title, input.notes),
      createdAt: new Date().toISOString(),
    });
    if (created !== undefined) return created;
    await refuseUnlessThere(store, blockedBy);
    throw new Refused(`There is no project ${JSON.stringify(input.project)}.`, 'Make it with project_create.');
  },
});
