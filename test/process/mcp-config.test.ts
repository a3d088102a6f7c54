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

interface Written {
  readonly mcpServers: Readonly<
    Record<string, { readonly command: string; readonly args: string[]; readonly env?: Record<string, string> }>
  >;
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

it('starts a server, from another folder and with nothing of this shell', async () => {
  const { code, output } = await runCommand(nexus, ['mcp', 'config', 'track', '--client', 'claude-desktop']);
  expect(code, output).toBe(0);
  const file = join(nexus.root, 'xdg-config', 'Claude', 'claude_desktop_config.json');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  const { nexus3 } = (await read(file)).mcpServers;
  expect(nexus3?.command).toBe(process.execPath);
  expect(nexus3?.args[0]).toBe(MAIN);
  const client = mcpClient('legacy');
  await client.connect(
    new StdioClientTransport({
      command: '',
      ...nexus3,
      env: { ...nexus3?.env, PATH: '/usr/bin:/bin' },
      cwd: '/',
      stderr: 'ignore',
    }),
  );
  const listed = await callTool(client, 'graph_list', {});
  expect(listed.isError, listed.text).toBe(false);
  await client.close();
  const again = await runCommand(nexus, ['mcp', 'config', 'track', '--client', 'claude-desktop']);
  expect(again.output).toContain('nothing was changed');
});

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
  expect((await nexus.run('mcp', 'config', 'nowhere')).code).toBe(2);
  expect((await nexus.run('mcp', 'config', 'locker')).code).toBe(2);
  expect((await nexus.run('mcp', 'config', '--file', file)).code).toBe(2);
  expect((await nexus.run('mcp', 'config', '--client', 'emacs')).code).toBe(2);
});
