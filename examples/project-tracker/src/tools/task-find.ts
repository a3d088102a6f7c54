import { z } from 'zod';
import { cursorInput, cursorOutput, pageOf, readCursor } from '../cursor.js';
import type { Task } from '../task.js';
import { due, person, project, RETURN_TASKS, status, task } from '../task.js';
import { searchFor, text } from '../text.js';
import { tool } from '../tool.js';

const TASKS_MAX = 100;
const TASKS_DEFAULT = 25;
const WORDS_CHARACTERS_MAX = 200;
/** Where a task without a day stands in the order of days: last. */
const NO_DAY = '9999';

const ALL = 'MATCH (t:Task)';
const WITH_WORDS = `CALL db.idx.fulltext.queryNodes('Task', $search) YIELD node AS t`;
const WANTED = `
  WITH t, coalesce(t.due, '${NO_DAY}') AS day
  WHERE ($status = '' OR t.status = $status)
    AND ($dueBefore = '' OR t.due < $dueBefore)
    AND ($afterId = '' OR day > $after OR (day = $after AND t.id > $afterId))
  WITH t ${RETURN_TASKS}`;
/** A second look at what the first has returned. */
const PAGE = `
  ORDER BY coalesce(due, '${NO_DAY}'), id
  LIMIT $rows`;

/** Each narrows what is found; values go in as parameters. */
const FILTERS = {
  project: 'MATCH (t)-[:IN]->(:Project {name: $project})',
  assignee: 'MATCH (t)-[:ASSIGNED_TO]->(:Person {name: $assignee})',
  ready: `OPTIONAL MATCH (t)-[:BLOCKED_BY]->(open:Task) WHERE open.status <> 'done'
          WITH t, count(open) AS opens WHERE opens = 0 AND t.status = 'todo'`,
};

export const taskFind = tool({
  name: 'task_find',
  title: 'Find tasks',
  description:
    'Tasks, the ones that are due first: all, or those that fit everything given. `ready` finds what can be begun now.',
  input: z.object({
    project: project.optional(),
    assignee: person.optional(),
    status: status.optional(),
    ready: z.boolean().default(false).describe('Only tasks to do that nothing blocks any more'),
    dueBefore: due.optional(),
    words: text(WORDS_CHARACTERS_MAX).optional().describe('In title or notes; each may be the beginning of a word'),
    limit: z.int().min(1).max(TASKS_MAX).default(TASKS_DEFAULT),
    cursor: cursorInput,
  }),
  output: z.object({ tasks: z.array(task), nextCursor: cursorOutput }),
  effect: 'read',
  idempotent: true,
  async run(input, store) {
    const search = searchFor(input.words ?? '');
    const query = [
      search === '' ? ALL : WITH_WORDS,
      ...(input.project === undefined ? [] : [FILTERS.project]),
      ...(input.assignee === undefined ? [] : [FILTERS.assignee]),
      ...(input.ready ? [`WITH t ${FILTERS.ready}`] : []),
      WANTED,
      PAGE,
    ].join('\n');
    const found = await store.read<Task>(query, {
      ...readCursor(input.cursor),
      search,
      project: input.project ?? '',
      assignee: input.assignee ?? '',
      status: input.status ?? '',
      dueBefore: input.dueBefore ?? '',
      rows: input.limit + 1,
    });
    const { rows, ...more } = pageOf(found, input.limit, (one) => [one.due ?? NO_DAY, one.id]);
    return { tasks: [...rows], ...more };
  },
});
