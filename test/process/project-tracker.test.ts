/** examples/project-tracker as its README has it, with real servers, a real client, and servers that are killed. */
import { cp, mkdir, readdir, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROCESS_HANDS, until } from '../support/break.js';
import { Nexus } from '../support/nexus.js';
import { run } from '../support/run.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NPM_TIMEOUT_MS = 100_000;
/** What `npm install` would fetch. */
const LIBRARIES = ['@modelcontextprotocol/server', '@modelcontextprotocol/client', '@types/node', 'typescript', 'zod'];
const CALLS_WHILE_DOWN = 60;

let nexus: Nexus;
let folder: string;
let variables: Record<string, string>;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  await nexus.report(0, 'up');
  variables = { ...nexus.env, NEXUS3_CONFIG: nexus.configFile };
  folder = join(nexus.root, 'project-tracker');
  const source = join(ROOT, 'examples', 'project-tracker');
  for (const name of await readdir(source)) {
    if (!['node_modules', 'dist'].includes(name)) await cp(join(source, name), join(folder, name), { recursive: true });
  }
  const modules = join(folder, 'node_modules');
  for (const name of LIBRARIES) {
    await mkdir(dirname(join(modules, name)), { recursive: true });
    await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  }
  await mkdir(join(modules, '.bin'));
  await symlink(join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), join(modules, '.bin', 'tsc'));
  await symlink(ROOT, join(modules, 'nexus3'));
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

interface Agent extends AsyncDisposable {
  call(name: string, input: Record<string, unknown>): Promise<{ readonly failed: boolean; readonly text: string }>;
}

async function agent(): Promise<Agent> {
  const args = [join(folder, 'dist', 'src', 'server.js')];
  const env = { ...getDefaultEnvironment(), ...variables };
  const transport = new StdioClientTransport({ command: process.execPath, args, env, cwd: '/', stderr: 'ignore' });
  const client = new Client({ name: 'test', version: '0.1.0' });
  await client.connect(transport);
  return {
    async call(name, input) {
      const { isError, content } = await client.callTool({ name, arguments: input });
      return { failed: isError === true, text: content.map((part) => (part.type === 'text' ? part.text : '')).join() };
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

describe('the project tracker', () => {
  it('passes its own tests and leaves nothing behind', async () => {
    const said = await run('npm', ['test'], { cwd: folder, timeoutMs: NPM_TIMEOUT_MS, env: variables });
    expect(said).toMatch(/fail 0\n/);
    await until(async () => {
      const graphs = await nexus.anonymous('track', 'operational', 'GRAPH.LIST');
      return Array.isArray(graphs) && graphs.length === 0;
    }, 'the end of the graph that the tests used');
  });

  it('goes on while the operational is down: reads, writes, and each write is seen by the next read', async () => {
    await using ann = await agent();
    await ann.call('project_create', { project: 'site' });
    expect(await ann.call('task_create', { project: 'site', title: 'before' })).toMatchObject({ failed: false });
    await PROCESS_HANDS.kill(nexus, 'track', 'operational');
    for (let index = 0; index < CALLS_WHILE_DOWN; index += 1) {
      const title = `while it was down ${String(index)}`;
      const added = await ann.call('task_create', { project: 'site', title });
      expect(added.failed, added.text).toBe(false);
      const found = await ann.call('task_find', { words: title, limit: 100 });
      expect(found.text).toContain(`"${title}"`);
    }
    await PROCESS_HANDS.start(nexus, 'track', 'operational');
    await nexus.report(0, 'up');
    expect((await ann.call('task_find', { words: 'before' })).text).toContain('"before"');
  });

  it('goes on reading while the vault is down, also when started then, and says what to do where it cannot write', async () => {
    await using ann = await agent();
    await ann.call('project_create', { project: 'site' });
    await PROCESS_HANDS.kill(nexus, 'track', 'vault');
    await using bob = await agent();
    for (const one of [ann, bob]) {
      const found = await one.call('task_find', { words: 'before' });
      expect(found.text).toContain('"before"');
      const refused = await one.call('task_create', { project: 'site', title: 'lost?' });
      expect(refused).toMatchObject({ failed: true });
      expect(refused.text).toMatch(/VAULT_UNREACHABLE[^]*Next: /);
    }
    await nexus.report(0, 'up');
    for (const one of [ann, bob]) {
      await until(async () => !(await one.call('task_create', { project: 'site', title: 'found' })).failed, 'a write');
    }
    expect((await bob.call('task_find', { words: 'lost' })).text).toBe('{"tasks":[]}');
  });
});
