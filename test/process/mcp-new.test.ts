/** A server of one’s own: written, installed, tested and used as its README says, with nothing else. */
import { cp, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { NewServerReport } from '../../src/mcp/new/new-server.js';
import { runCommand } from '../support/command.js';
import { Nexus } from '../support/nexus.js';
import { chance, instant, rounds, SEED } from '../support/random.js';
import { run } from '../support/run.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const NPM_TIMEOUT_MS = 100_000;
/** Three times npm, one after the other, each of which may take so long on a busy machine. */
const AS_ITS_README_SAYS_TIMEOUT_MS = 3 * NPM_TIMEOUT_MS + 20_000;
const KILLS_IN_CI = 4;
const KILLS_IN_SOAK = 60;
/** What npm says of itself is nobody’s business here. */
const QUIET_NPM = {
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
  // What nexus3 itself was installed from has all of it.
  npm_config_prefer_offline: 'true',
};

let nexus: Nexus;
beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard', keys: 'secure' } });
  await nexus.report(0, 'up');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

async function written(...args: readonly string[]): Promise<NewServerReport> {
  const { code, out, err } = await nexus.run('mcp', 'new', ...args, '--json');
  expect(code, err + out).toBe(0);
  return JSON.parse(out) as NewServerReport;
}

async function refusal(...args: readonly string[]): Promise<{ code: string; evidence: string[]; hint: string }> {
  const { code, out } = await nexus.run('mcp', 'new', ...args, '--json');
  expect(code, out).toBe(2);
  return (JSON.parse(out) as { error: { code: string; evidence: string[]; hint: string } }).error;
}

const npm = async (cwd: string, ...args: readonly string[]): Promise<string> =>
  run('npm', args, { cwd, timeoutMs: NPM_TIMEOUT_MS, env: { ...nexus.env, ...QUIET_NPM } });

/** A client started with what `mcp new` says belongs in its configuration. */
async function clientOf({ name, client: { mcpServers } }: NewServerReport, env: Record<string, string> = {}) {
  const server = mcpServers[name];
  if (server === undefined) throw new Error(`${name} is not in what is to be configured`);
  const transport = new StdioClientTransport({
    command: server.command,
    args: [...server.args],
    env: { ...getDefaultEnvironment(), ...server.env, ...env },
    cwd: '/',
    stderr: 'ignore',
  });
  const client = new Client({ name: 'test', version: '0.1.0' });
  await client.connect(transport);
  return client;
}

async function hasNoSecret(folder: string): Promise<void> {
  const secrets = [await nexus.password('track'), (await readFile(join(nexus.root, 'root.key'), 'utf8')).trim()];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    expect(
      secrets.filter((secret) => text.includes(secret)),
      entry.name,
    ).toEqual([]);
  }
}

describe('mcp new', () => {
  let notes: NewServerReport;

  const asItsReadmeSays = { timeout: AS_ITS_README_SAYS_TIMEOUT_MS };
  it('writes a server that is installed, tested and used as its README says', asItsReadmeSays, async () => {
    const dir = join(nexus.root, 'a folder', 'notes');
    notes = await written('notes', '--env', 'track', '--dir', dir);
    expect(notes).toMatchObject({ schema: 'nexus3.mcp-new/1', ok: true, environment: 'track', kind: 'standard', dir });
    expect(await readdir(dir)).toEqual(expect.arrayContaining(['.gitignore', 'README.md', 'package.json', 'src']));
    await hasNoSecret(dir);
    const commands = /```sh\n([^]*?)```/.exec(await readFile(join(dir, 'README.md'), 'utf8'))?.[1];
    expect(commands).toBe('npm install\nnpm test\nnpm start\n');

    await npm(dir, 'install');
    expect(await npm(dir, 'test')).toMatch(/fail 0\n/);
    // Started without a client, it ends when its stdin does.
    const env = { ...nexus.env, ...QUIET_NPM };
    await run('sh', ['-c', 'npm start < /dev/null'], { cwd: dir, timeoutMs: NPM_TIMEOUT_MS, env });
    expect(await nexus.anonymous('track', 'operational', 'GRAPH.LIST'), 'what the tests have left').toEqual([]);

    const client = await clientOf(notes);
    const added = await client.callTool({ name: 'note_add', arguments: { title: 'kept' } });
    const found = await client.callTool({ name: 'note_find', arguments: { words: 'kept' } });
    expect(found.structuredContent).toEqual({ notes: [added.structuredContent] });
    await client.close();
  });

  it('needs neither root key nor nexus3.yaml where it has a token', async () => {
    const token = join(nexus.root, 'track.token');
    expect((await nexus.run('locker', 'grant', 'track', '--out', token)).code).toBe(0);
    const client = await clientOf(notes, {
      NEXUS3_TOKEN_FILE: token,
      NEXUS3_ROOT_KEY_FILE: '/nowhere/root.key',
      NEXUS3_CONFIG: '/nowhere/nexus3.yaml',
    });
    const found = await client.callTool({ name: 'note_find', arguments: {} });
    expect(found.structuredContent).toMatchObject({ notes: [{ title: 'kept' }] });
    await client.close();
  });

  it('works from a package, on a Secure Environment', async () => {
    const installed = join(nexus.root, 'elsewhere', 'node_modules');
    await mkdir(installed, { recursive: true });
    const [{ filename }] = JSON.parse(await npm(ROOT, 'pack', '--json', '--pack-destination', nexus.root)) as [
      { filename: string },
    ];
    await run('tar', ['-xzf', join(nexus.root, filename), '-C', installed], { timeoutMs: NPM_TIMEOUT_MS });
    await cp(join(installed, 'package'), join(installed, 'nexus3'), { recursive: true });
    for (const name of await readdir(join(ROOT, 'node_modules'))) {
      if (!name.startsWith('.')) await symlink(join(ROOT, 'node_modules', name), join(installed, name));
    }
    const dir = join(nexus.root, 'secret-notes');
    const main = join(installed, 'nexus3', 'dist', 'cli', 'main.js');
    const words = ['--config', nexus.configFile, 'mcp', 'new', 'secret-notes', '--env', 'keys', '--dir', dir, '--json'];
    const out = await run(process.execPath, [main, ...words], { timeoutMs: NPM_TIMEOUT_MS, env: { ...nexus.env } });
    expect(JSON.parse(out)).toMatchObject({ kind: 'secure' });
    expect(await readFile(join(dir, 'package.json'), 'utf8')).toContain(`"file:${join(installed, 'nexus3')}"`);

    // Installed already, for the first one; only nexus3 is another.
    await cp(join(notes.dir, 'node_modules'), join(dir, 'node_modules'), { recursive: true, verbatimSymlinks: true });
    await rm(join(dir, 'node_modules', 'nexus3'));
    await symlink(join(installed, 'nexus3'), join(dir, 'node_modules', 'nexus3'));
    expect(await npm(dir, 'test')).toMatch(/fail 0\n/);
  });

  it('overwrites nothing', async () => {
    const before = await readdir(notes.dir, { recursive: true });
    expect(await refusal('notes', '--env', 'track', '--dir', notes.dir)).toMatchObject({ code: 'FOLDER_NOT_EMPTY' });
    expect(await readdir(notes.dir, { recursive: true })).toEqual(before);
    expect(await refusal('notes', '--env', 'track', '--dir', '.')).toMatchObject({ code: 'FOLDER_NOT_EMPTY' });
  });

  it('says which environments there are, and how to make one', async () => {
    const unknown = await refusal('notes', '--env', 'trakc', '--dir', 'none');
    expect(unknown).toMatchObject({ code: 'ENVIRONMENT_UNKNOWN', evidence: ['known: track, keys'] });
    expect(unknown.hint).toContain('nexus3 create trakc');
    expect((await refusal('notes', '--env', 'locker', '--dir', 'none')).code).toBe('USAGE');
    expect((await refusal('notes', '--dir', 'none')).hint).toContain('--env');
    for (const name of ['Notes', '../notes', '', 'zod', 'x'.repeat(32)]) {
      expect((await refusal(name, '--env', 'track', '--dir', 'none')).code, name).toBe('NAME_INVALID');
    }
    expect(await readdir(nexus.root)).not.toContain('none');
  });

  it('killed at any instant leaves nothing half there, and run again writes it', async () => {
    const random = chance(SEED);
    const parent = join(nexus.root, 'killed');
    const args = (name: string): string[] => ['mcp', 'new', 'notes', '--env', 'track', '--dir', join(parent, name)];
    const usual = await runCommand(nexus, args('usual'));
    expect(usual.code, usual.output).toBe(0);
    const whole = await readdir(join(parent, 'usual'), { recursive: true });
    const kills = rounds(KILLS_IN_CI, KILLS_IN_SOAK);
    for (let kill = 0; kill < kills; kill += 1) {
      const name = `k${String(kill)}`;
      await runCommand(nexus, args(name), instant(random, kill, kills, 0.3) * usual.ms);
      const there = (await readdir(parent)).includes(name);
      if (there) expect(await readdir(join(parent, name), { recursive: true })).toEqual(whole);
      else expect((await runCommand(nexus, args(name))).code).toBe(0);
      expect((await readdir(parent)).filter((one) => one.startsWith(`.${name}`))).toEqual([]);
    }
  });
});
