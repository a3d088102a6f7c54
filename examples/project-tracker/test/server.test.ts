/** The tracker as two agents use it, against the real environment; in a graph of its own that is deleted at the end. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'nexus3/client';
import { connectOptions, ENVIRONMENT } from '../src/environment.js';
import type { Task } from '../src/task.js';
import { TOOLS } from '../src/tools/index.js';
import type { Started } from './client.js';
import { startServer } from './client.js';

const GRAPH = `test-${randomUUID()}`;
const WAIT_TIMEOUT_MS = 20_000;
const WAIT_POLL_MS = 20;
const ROUNDS = 20;

let ann: Started;
let bob: Started;

before(async () => {
  // Both at once, on a graph that neither has made yet.
  [ann, bob] = await Promise.all([startServer({ MCP_GRAPH: GRAPH }), startServer({ MCP_GRAPH: GRAPH })]);
  await Promise.all([ann, bob].map((agent) => agent.call('project_create', { project: 'site' })));
});
after(async () => {
  await Promise.all([ann.client.close(), bob.client.close()]);
  await using environment = await connect(ENVIRONMENT, connectOptions());
  await environment.graph(GRAPH).delete();
});

const create = async (input: Record<string, unknown>, agent = ann): Promise<Task> =>
  (await agent.call('task_create', { project: 'site', ...input })) as Task;
const find = async (input: Record<string, unknown>, agent = ann): Promise<readonly Task[]> =>
  (await agent.call('task_find', input))['tasks'] as Task[];
const titles = (tasks: readonly Task[]): readonly string[] => tasks.map(({ title }) => title);

describe('the project tracker', () => {
  it('has tools that say what they take, give and may do', async () => {
    const { tools } = await ann.client.listTools();
    assert.deepEqual(
      tools.map(({ name }) => name),
      TOOLS.map(({ name }) => name),
    );
    for (const { name, annotations, outputSchema } of tools) {
      assert.equal(typeof outputSchema, 'object', name);
      assert.equal(annotations?.destructiveHint, name === 'task_remove', name);
    }
  });

  it('has its indexes and constraints once, though two servers started together', async () => {
    await using environment = await connect(ENVIRONMENT, connectOptions());
    const { data = [] } = await environment
      .graph(GRAPH)
      .query<{ label: string }>('CALL db.constraints() YIELD label RETURN label ORDER BY label');
    assert.deepEqual(
      data.map(({ label }) => label),
      ['Person', 'Project', 'Task'],
    );
    assert.deepEqual(await ann.call('project_create', { project: 'site' }), { project: 'site', created: false });
  });

  it('tells a project from its first task to its last', async () => {
    await ann.call('project_create', { project: 'launch', description: 'the new site goes live' });
    const inLaunch = { project: 'launch' };
    const design = await create({
      ...inLaunch,
      title: 'Design the pages',
      hours: 8,
      assignee: 'Ann',
      due: '2026-03-02',
    });
    const text = await create({ ...inLaunch, title: 'Write the texts', hours: 3, notes: 'Größe XL', assignee: 'Bob' });
    const build = await create({ ...inLaunch, title: 'Build it', hours: 16, blockedBy: [design.id, text.id] });
    const live = await create({ ...inLaunch, title: 'Go live', due: '2026-04-01' });
    assert.deepEqual(build.blockedBy, [design.id, text.id].toSorted());
    assert.deepEqual((await ann.call('task_block', { id: live.id, blockedBy: build.id }))['blockedBy'], [build.id]);

    const critical = await ann.call('critical_path', inLaunch);
    assert.equal(critical['hours'], 25);
    assert.deepEqual(titles(critical['tasks'] as Task[]), ['Design the pages', 'Build it', 'Go live']);
    const { blockedBy, blocks } = await ann.call('task_neighbours', { id: build.id });
    assert.deepEqual(titles(blockedBy as Task[]).toSorted(), ['Design the pages', 'Write the texts']);
    assert.deepEqual(blocks, [{ id: live.id, title: 'Go live', status: 'todo' }]);

    assert.deepEqual(titles(await find({ ...inLaunch, ready: true })), ['Design the pages', 'Write the texts']);
    assert.deepEqual(titles(await find({ ...inLaunch, assignee: 'Bob', ready: true })), ['Write the texts']);
    assert.deepEqual(titles(await find({ ...inLaunch, dueBefore: '2026-03-31' })), ['Design the pages']);
    assert.deepEqual(titles(await find({ words: 'gross' })), ['Write the texts']);
    assert.match(await ann.refusal('task_update', { id: build.id, status: 'doing' }), /blocked by t_[^]*Next: /);

    for (const id of [design.id, text.id]) await ann.call('task_update', { id, status: 'done' });
    const begun = await ann.call('task_update', {
      id: build.id,
      status: 'doing',
      assignee: 'Bob',
      title: 'Build the site',
    });
    assert.deepEqual([begun['status'], begun['assignee'], begun['blockedBy']], ['doing', 'Bob', []]);
    assert.deepEqual(titles(await find({ words: 'build site' })), ['Build the site']);
    assert.equal((await ann.call('critical_path', inLaunch))['hours'], 17);
    const freed = await ann.call('task_update', { id: build.id, assignee: null, hours: null });
    assert.deepEqual([freed['assignee'], freed['hours'], freed['title']], [null, null, 'Build the site']);

    assert.deepEqual((await ann.call('task_unblock', { id: live.id, blockedBy: build.id }))['blockedBy'], []);
    assert.deepEqual(await ann.call('task_remove', { id: live.id }), { removed: true });
    assert.deepEqual(await ann.call('task_remove', { id: live.id }), { removed: false });
    const { projects } = await ann.call('project_list', { limit: 1 });
    assert.deepEqual(projects, [
      { project: 'launch', description: 'the new site goes live', todo: 0, doing: 1, done: 2 },
    ]);
  });

  it('refuses a circle, however long, and the same when two agents would close it together', async () => {
    const chain: Task[] = [];
    for (let index = 0; index < 5; index += 1) {
      chain.push(await create({ title: `c${String(index)}`, blockedBy: chain.slice(-1).map(({ id }) => id) }));
    }
    const [first, last] = [chain[0]?.id ?? '', chain.at(-1)?.id ?? ''];
    assert.match(
      await ann.refusal('task_block', { id: first, blockedBy: last }),
      /neither could ever be done[^]*Next: /,
    );
    assert.match(await ann.refusal('task_block', { id: first, blockedBy: first }), /neither could ever be done/);

    for (let round = 0; round < ROUNDS; round += 1) {
      const [one, two] = await Promise.all([create({ title: 'one' }), create({ title: 'two' }, bob)]);
      const tried = await Promise.allSettled([
        ann.call('task_block', { id: one.id, blockedBy: two.id }),
        bob.call('task_block', { id: two.id, blockedBy: one.id }),
      ]);
      assert.deepEqual(
        tried.map(({ status }) => status).toSorted(),
        ['fulfilled', 'rejected'],
        `round ${String(round)}`,
      );
    }
  });

  it('keeps what two agents write at once, and each sees its own at once', async () => {
    await ann.call('project_create', { project: 'shared' });
    await Promise.all(
      [ann, bob].map(async (agent, index) => {
        for (let round = 0; round < ROUNDS; round += 1) {
          const title = `agent ${String(index)} round ${String(round)}`;
          const { id } = await create({ project: 'shared', title, assignee: 'Both' }, agent);
          assert.ok(titles(await find({ words: title, project: 'shared' }, agent)).includes(title), title);
          await agent.call('task_update', { id, status: 'done' });
        }
      }),
    );
    for (const agent of [ann, bob]) {
      await until(
        async () => (await find({ project: 'shared', status: 'done', limit: 100 }, agent)).length === 2 * ROUNDS,
      );
    }
    const people = await ann.call('task_find', { assignee: 'Both', limit: 7 });
    assert.equal((people['tasks'] as Task[]).length, 7);
    const seen = new Set<string>();
    for (let cursor: unknown, more = true; more; more = cursor !== undefined) {
      const page = await ann.call('task_find', {
        assignee: 'Both',
        limit: 7,
        ...(cursor === undefined ? {} : { cursor }),
      });
      for (const { id } of page['tasks'] as Task[]) seen.add(id);
      cursor = page['nextCursor'];
    }
    assert.equal(seen.size, 2 * ROUNDS);
  });

  it('says what to do when it is asked for what is not there, or not well', async () => {
    assert.match(
      await ann.refusal('task_create', { project: 'none', title: 'x' }),
      /no project "none"[^]*project_create/,
    );
    assert.match(await ann.refusal('task_create', { project: 'site', title: 'x', blockedBy: ['t_0'] }), /no task t_0/);
    assert.match(await ann.refusal('task_update', { id: 't_0', status: 'done' }), /no task t_0[^]*task_find/);
    assert.match(await ann.refusal('task_block', { id: 't_0', blockedBy: 't_1' }), /no task t_0, t_1/);
    assert.match(await ann.refusal('task_unblock', { id: 't_0', blockedBy: 't_1' }), /no task t_0/);
    assert.match(await ann.refusal('task_neighbours', { id: 't_0' }), /no task t_0/);
    assert.match(await ann.refusal('critical_path', { project: 'none' }), /no project "none"[^]*project_list/);
    assert.match(await ann.refusal('task_create', { project: 'site', title: 'x', due: 'soon' }), /due/);
    assert.match(await ann.refusal('task_find', { cursor: 'none' }), /first page/);
    const title = `"}) MATCH (n) DETACH DELETE n // \\" ' \``;
    assert.equal((await create({ title })).title, title);
    assert.deepEqual(await ann.call('critical_path', { project: 'shared' }), { hours: 0, tasks: [] });
  });
});

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + WAIT_TIMEOUT_MS;
  while (!(await isSo())) {
    assert.ok(Date.now() < deadline, 'it did not come to that in time');
    await sleep(WAIT_POLL_MS);
  }
}
