/** What `nexus3 mcp config` writes is what starts a server, and nothing of the file is lost on the way. */
import { lstat, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { callTool } from '../support/call-tool.js';
import { runCommand } from '../support/command.js';
import { mcpClient } from '../support/mcp-link.js';
import { MAIN } from '../support/mcp-client.js';
import { Nexus } from '../support/nexus.js';

type Entries = Readonly<
  Record<
    string,
    { readonly type?: string; readonly command: string; readonly args: string[]; readonly env?: Record<string, string> }
  >
>;

interface Written {
  /** As Claude Desktop has it, and as VS Code has it. */
  readonly mcpServers: Entries;
  readonly servers: Entries;
}

let nexus: Nexus;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  await nexus.report(0, 'up');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

const read = async (file: string): Promise<Written> => JSON.parse(await readFile(file, 'utf8')) as Written;

it.each([
  ['claude-desktop', join('Claude', 'claude_desktop_config.json')],
  ['vscode', join('Code', 'User', 'mcp.json')],
] as const)(
  'starts both servers as %s would, from another folder and with nothing of this shell',
  async (client, at) => {
    const args = ['mcp', 'config', 'track', '--control', '--client', client];
    const { code, output } = await runCommand(nexus, args);
    expect(code, output).toBe(0);
    const file = join(nexus.root, 'xdg-config', at);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const written = await read(file);
    const servers = client === 'vscode' ? written.servers : written.mcpServers;
    for (const [name, tool] of [
      ['nexus3', 'graph_list'],
      ['nexus3-control', 'status'],
    ] as const) {
      const entry = servers[name];
      expect(entry).toMatchObject({ command: process.execPath, args: expect.arrayContaining([MAIN]) as string[] });
      expect(entry?.type).toBe(client === 'vscode' ? 'stdio' : undefined);
      const { type: _, ...start } = entry ?? { type: '', command: '', args: [] };
      const env = { ...start.env, PATH: '/usr/bin:/bin' };
      const agent = mcpClient('legacy');
      await agent.connect(new StdioClientTransport({ ...start, env, cwd: '/', stderr: 'ignore' }));
      const called = await callTool(agent, tool, {});
      expect(called.isError, called.text).toBe(false);
      await agent.close();
    }
    const again = await runCommand(nexus, args);
    expect(again.output).toContain('nothing was changed');
  },
);

it('follows a link, keeps a mode, and holds no secret', async () => {
  const folder = join(nexus.root, 'dotfiles');
  await mkdir(folder);
  const real = join(folder, 'real.json');
  const link = join(nexus.root, 'mcp.json');
  await writeFile(real, '// mine\n{}\n', { mode: 0o640 });
  await symlink(real, link);
  const args = ['mcp', 'config', '--control', '--allow-changes', '--write', '--client', 'vscode', '--file', link];
  const { code, output } = await runCommand(nexus, args);
  expect(code, output).toBe(0);
  expect((await lstat(link)).isSymbolicLink()).toBe(true);
  expect((await stat(real)).mode & 0o777).toBe(0o640);
  const text = await readFile(real, 'utf8');
  expect(text).toMatch(/^\/\/ mine\n/);
  expect(text).toContain('"nexus3-control"');
  for (const secret of [await nexus.password('track'), (await nexus.run('mcp', 'token')).out.trim()]) {
    expect(text).not.toContain(secret);
  }
});

it('loses nothing when many write at once', async () => {
  const file = join(nexus.root, 'many.json');
  const names = Array.from({ length: 6 }, (_, index) => `n${String(index)}`);
  const runs = names.map((name) =>
    runCommand(nexus, ['mcp', 'config', '--client', 'claude-desktop', '--file', file, '--name', name]),
  );
  for (const { code, output } of await Promise.all(runs)) expect(code, output).toBe(0);
  expect(Object.keys((await read(file)).mcpServers).toSorted()).toEqual(names);
});

it('refuses what it cannot know', async () => {
  const file = join(nexus.root, 'broken.json');
  await writeFile(file, '{\n  "mcpServers": {\n');
  const broken = await nexus.run('mcp', 'config', '--client', 'claude-desktop', '--file', file);
  expect(broken.code).toBe(2);
  expect(broken.err).toContain('line 3, column 1');
  await writeFile(file, '{\n  // mine\n  "mcpServers": {}\n}\n');
  const commented = await nexus.run('mcp', 'config', '--client', 'claude-desktop', '--file', file);
  expect(commented.code).toBe(2);
  expect(commented.err).toMatch(/plain JSON, without\s+comments\.\n +line 2, column 3: a comment\n/);
  expect(await readFile(file, 'utf8')).toContain('// mine');
  const nowhere = await nexus.run('mcp', 'config', 'nowhere');
  expect(nowhere.code).toBe(2);
  expect(nowhere.err).toContain('known: track\n');
  expect((await nexus.run('mcp', 'config', 'locker')).code).toBe(2);
  expect((await nexus.run('mcp', 'config', '--file', file)).code).toBe(2);
  expect((await nexus.run('mcp', 'config', '--client', 'emacs')).code).toBe(2);
});
