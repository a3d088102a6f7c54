import { z } from 'zod';
import type { Step } from '../critical-path.js';
import { criticalPath, HOURS_UNESTIMATED } from '../critical-path.js';
import { Refused } from '../failure.js';
import { project } from '../task.js';
import { tool } from '../tool.js';

const TASKS_MAX = 2_000;

const OPEN_TASKS = `
  MATCH (p:Project {name: $project})
  OPTIONAL MATCH (t:Task)-[:IN]->(p) WHERE t.status <> 'done'
  OPTIONAL MATCH (t)-[:BLOCKED_BY]->(b:Task) WHERE b.status <> 'done'
  WITH t, collect(b.id) AS blockedBy
  RETURN t.id AS id, t.title AS title, t.hours AS hours, blockedBy
  ORDER BY id
  LIMIT $rows`;

const step = z.object({ id: z.string(), title: z.string(), hours: z.number().nullable() });

export const criticalPathTool = tool({
  name: 'critical_path',
  title: 'What decides when a project is done',
  description: `The longest chain of tasks still to be done one after the other, in order, and its hours. A task without an estimate counts as ${String(HOURS_UNESTIMATED)} hour.`,
  input: z.object({ project }),
  output: z.object({ hours: z.number(), tasks: z.array(step) }),
  effect: 'read',
  idempotent: true,
  async run(input, store) {
    const rows = await store.read<{ [Key in keyof Step]: Step[Key] | null }>(OPEN_TASKS, {
      ...input,
      rows: TASKS_MAX + 1,
    });
    if (rows.length === 0) {
      throw new Refused(`There is no project ${JSON.stringify(input.project)}.`, 'project_list shows which there are.');
    }
    if (rows.length > TASKS_MAX) {
      throw new Refused(
        `It has more than ${String(TASKS_MAX)} open tasks.`,
        'Split the project, and ask for its parts.',
      );
    }
    // A project without open tasks is one row of nulls.
    const { hours, steps } = criticalPath(rows.filter((row): row is Step & typeof row => row.id !== null));
    return { hours, tasks: steps.map(({ id, title, hours: estimated }) => ({ id, title, hours: estimated })) };
  },
});
