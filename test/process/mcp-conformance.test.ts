/** Both MCP servers before judges that are not ours: the protocol's conformance checks, and its inspector. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { HttpServerProcess, MAIN } from '../support/mcp-client.js';
import type { Checked } from '../support/mcp-tools.js';
import { conformance, fetchMcpTools, inspect, showingToken } from '../support/mcp-tools.js';
import { Nexus } from '../support/nexus.js';

const missing = await fetchMcpTools();
if (missing !== undefined) console.warn(`# no conformance checks of MCP, because the tools cannot be had: ${missing}`);

const SERVERS = [
  ['nexus3', ['mcp', 'serve', '--write'], 'graph_write'],
  ['nexus3-control', ['mcp', 'control', '--allow-changes'], 'apply_fix'],
] as const;

/** What is asked of servers that have tools and nothing else. The rest calls fixtures (tools, prompts, resources) by name. */
const APPLY = {
  '2025-11-25': [
    'server-initialize',
    'server-session-lifecycle',
    'ping',
    'tools-list',
    'server-sse-multiple-streams',
    'dns-rebinding-protection',
  ],
  '2026-07-28': [
    'server-stateless',
    'tools-list',
    'caching',
    'http-header-validation',
    'server-sse-multiple-streams',
    'dns-rebinding-protection',
  ],
} as const;

/** Of those, the checks that cannot be made, and what the tool must say of each. */
const NOT_TESTABLE: readonly (readonly [id: string, why: RegExp])[] = [
  ['sep-2575-server-rejects-undeclared-capability', /does not list the diagnostic tool/],
  ['sep-2575-missing-capability-http-400', /does not list the diagnostic tool/],
  ['sep-2575-http-server-no-independent-requests-on-stream', /does not list the diagnostic tool/],
  ['sep-2575-server-no-log-without-loglevel', /does not list the diagnostic tool/],
  ['sep-2549-prompts-list-caching-hints', /-32601/],
  ['sep-2549-resources-list-caching-hints', /-32601/],
  ['sep-2549-resources-templates-list-caching-hints', /-32601/],
];

const TOKEN = 'a-token-that-is-known-to-this-test-alone';

let nexus: Nexus;
let tokenFile: string;
beforeAll(async () => {
  // Never up: what the protocol asks of a server, it answers without its environments.
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  tokenFile = join(nexus.root, 'bearer');
  await writeFile(tokenFile, TOKEN, { mode: 0o600 });
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

describe.skipIf(missing !== undefined)('the conformance checks of MCP', () => {
  it.each(SERVERS)('have nothing against %s', async (name, args) => {
    await using server = await HttpServerProcess.start(nexus, { args: [...args, '--bearer-file', tokenFile] });
    await using front = await showingToken(server.port, TOKEN);
    const revisions = Object.entries(APPLY).map(async ([revision, applying]) => {
      const made = await conformance(front.url, revision, join(nexus.root, `${name}-${revision}`));
      const judged = made.filter(({ scenario }) => (applying as readonly string[]).includes(scenario));
      expect(new Set(judged.map(({ scenario }) => scenario)), revision).toEqual(new Set(applying));
      expect(judged.filter(isWrong), revision).toEqual([]);
      expect(judged.filter(({ status }) => status === 'SUCCESS').length, revision).toBeGreaterThan(applying.length);
      // Also where a fixture is missing, what was answered has the form that the protocol wants.
      expect(made.filter(({ id, status }) => id === 'wire-schema-valid' && status !== 'SUCCESS')).toEqual([]);
    });
    await Promise.all(revisions);
    expect(server.err).not.toContain(TOKEN);
  });
});

function isWrong({ id, status, why }: Checked): boolean {
  if (status === 'SUCCESS' || status === 'SKIPPED' || status === 'INFO') return false;
  return !NOT_TESTABLE.some(([known, expected]) => known === id && expected.test(why));
}

describe.skipIf(missing !== undefined)('the inspector', () => {
  it.each(SERVERS)('lists the tools of %s', async (_, args, tool) => {
    const listed = await inspect(command(args), '--method', 'tools/list');
    expect(listed['tools']).toContainEqual(expect.objectContaining({ name: tool }));
  });

  it('calls one', async () => {
    const named = ['--method', 'tools/call', '--tool-name', 'environments'];
    const called = await inspect(command(['mcp', 'serve']), ...named);
    expect(called['structuredContent']).toMatchObject({ environments: [{ name: 'track' }] });
  });
});

/** Without `--config`, which the inspector has an option of that name for. */
const command = (args: readonly string[]): readonly string[] => [
  ...Object.entries({ ...nexus.env, NEXUS3_CONFIG: nexus.configFile }).flatMap(([name, value]) => [
    '-e',
    `${name}=${value}`,
  ]),
  process.execPath,
  MAIN,
  ...args,
];
