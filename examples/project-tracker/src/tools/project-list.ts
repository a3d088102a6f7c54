import { z } from 'zod';
import { cursorInput, cursorOutput, pageOf, readCursor } from '../cursor.js';
import { tool } from '../tool.js';

const PROJECTS_MAX = 50;

const LIST = `
  MATCH (p:Project) WHERE p.name > $after
  WITH p ORDER BY p.name LIMIT $rows
  OPTIONAL MATCH (t:Task)-[:IN]->(p)
  WITH p, t.status AS status
  RETURN p.name AS project, p.description AS description,
         sum(CASE status WHEN 'todo' THEN 1 ELSE 0 END) AS todo,
         sum(CASE status WHEN 'doing' THEN 1 ELSE 0 END) AS doing,
         sum(CASE status WHEN 'done' THEN 1 ELSE 0 END) AS done
  ORDER BY project`;

const listed = z.object({
  project: z.string(),
  description: z.string(),
  todo: z.int(),
  doing: z.int(),
  done: z.int(),
});

export const projectList = tool({
  name: 'project_list',
  title: 'List projects',
  description: 'All projects by name, with how many of their tasks are to do, being done, and done.',
  input: z.object({ limit: z.int().min(1).max(PROJECTS_MAX).default(PROJECTS_MAX), cursor: cursorInput }),
  output: z.object({ projects: z.array(listed), nextCursor: cursorOutput }),
  effect: 'read',
  idempotent: true,
  async run({ limit, cursor }, store) {
    const { after } = readCursor(cursor);
    const found = await store.read<z.output<typeof listed>>(LIST, { after, rows: limit + 1 });
    const { rows, ...more } = pageOf(found, limit, ({ project }) => [project, project]);
    return { projects: [...rows], ...more };
  },
});
