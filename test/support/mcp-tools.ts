/**
 * Tools of others that judge MCP servers: the protocol's own conformance checks, and its inspector. They are no dependencies
 * of nexus3: npm fetches them into `.cache/` when they are first wanted. Where they cannot be had, tests say so and are skipped.
 */
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from './run.js';

/** The first that speaks 2026-07-28, and 2025-11-25 as well. 0.1.16 speaks 2025-06-18 and 2025-11-25 only. */
const CONFORMANCE = { name: '@modelcontextprotocol/conformance', version: '0.2.0-alpha.12' };
/** Later ones need Node.js 22. */
const INSPECTOR = { name: '@modelcontextprotocol/inspector-cli', version: '0.16.8' };

const CACHE = fileURLToPath(new URL('../../.cache/mcp-tools', import.meta.url));
const FOLDER = join(CACHE, `conformance-${CONFORMANCE.version}-inspector-${INSPECTOR.version}`);
const NPM_TIMEOUT_MS = 60_000;
const TOOL_TIMEOUT_MS = 60_000;

/**
 * The conformance checks import `globSync` of Node.js 22, for something that they are not asked for here. With this, they
 * load on Node.js 20, too.
 */
const NODE_20 = `
import * as fs from 'node:fs';
import { register } from 'node:module';
const hooks = \`
export async function resolve(specifier, context, next) {
  const wanted = specifier === 'fs' && context.parentURL.includes('/conformance/dist/');
  return wanted ? { url: 'with-glob:fs', shortCircuit: true } : next(specifier, context);
}
export async function load(url, context, next) {
  if (url !== 'with-glob:fs') return next(url, context);
  const source = "export * from 'node:fs'; export { default } from 'node:fs'; export const globSync = undefined;";
  return { format: 'module', shortCircuit: true, source };
}\`;
if (!('globSync' in fs)) register('data:text/javascript,' + encodeURIComponent(hooks));
`;

/** Undefined: they are there. Else why not. */
export async function fetchMcpTools(): Promise<string | undefined> {
  if (existsSync(FOLDER)) return undefined;
  const made = `${FOLDER}.${String(process.pid)}`;
  try {
    await mkdir(made, { recursive: true });
    const dependencies = Object.fromEntries([CONFORMANCE, INSPECTOR].map(({ name, version }) => [name, version]));
    await writeFile(join(made, 'package.json'), JSON.stringify({ private: true, dependencies }));
    await writeFile(join(made, 'node-20.mjs'), NODE_20);
    const quiet = ['--ignore-scripts', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error'];
    await run('npm', ['install', ...quiet], { cwd: made, timeoutMs: NPM_TIMEOUT_MS });
    // Its own dependencies are whichever are newest: they may want another Node.js than this one.
    await run(process.execPath, conformanceArgs(made, 'list', '--server'), { timeoutMs: TOOL_TIMEOUT_MS });
    await rename(made, FOLDER);
    return undefined;
  } catch (error) {
    if (existsSync(FOLDER)) return undefined;
    return error instanceof Error ? error.message : String(error);
  } finally {
    await rm(made, { recursive: true, force: true });
  }
}

function conformanceArgs(folder: string, ...args: readonly string[]): readonly string[] {
  const main = join(folder, 'node_modules', CONFORMANCE.name, 'dist', 'index.js');
  return ['--import', join(folder, 'node-20.mjs'), main, ...args];
}

export interface Checked {
  readonly scenario: string;
  /** Of the check. */
  readonly id: string;
  readonly status: 'SUCCESS' | 'FAILURE' | 'WARNING' | 'SKIPPED' | 'INFO';
  readonly why: string;
}

/** Every check that a revision of the protocol requires of a server. @param folder where results may be written, made anew */
export async function conformance(url: string, revision: string, folder: string): Promise<readonly Checked[]> {
  await mkdir(folder, { recursive: true });
  const asked = ['server', '--url', url, '--requirements', revision, '--output-dir', folder];
  // It fails when anything fails; what failed is in the folder.
  const said = await run(process.execPath, conformanceArgs(FOLDER, ...asked), {
    cwd: folder,
    timeoutMs: TOOL_TIMEOUT_MS,
  }).catch((error: unknown) => String(error));
  const results = await readdir(folder);
  if (results.length === 0) throw new Error(said);
  const lists = await Promise.all(
    results.map(async (result) => {
      const scenario = result.replace(/^server-/, '').replace(/-\d{4}-\d\d-\d\dT[\d-]+Z$/, '');
      const checks = JSON.parse(await readFile(join(folder, result, 'checks.json'), 'utf8')) as readonly {
        readonly id: string;
        readonly status: Checked['status'];
        readonly errorMessage?: string;
      }[];
      return checks.map(({ id, status, errorMessage = '' }) => ({ scenario, id, status, why: errorMessage }));
    }),
  );
  return lists.flat();
}

/** What the inspector prints when it has asked a server that it started, as JSON. */
export async function inspect(server: readonly string[], ...asked: readonly string[]) {
  const main = join(FOLDER, 'node_modules', INSPECTOR.name, 'build', 'cli.js');
  const out = await run(process.execPath, [main, '--cli', ...server, ...asked], { timeoutMs: TOOL_TIMEOUT_MS });
  return JSON.parse(out) as Readonly<Record<string, unknown>>;
}

/** Shows a server's token for those who cannot, and leaves everything else to the server; also under whose name it is asked. */
export async function showingToken(port: number, token: string): Promise<AsyncDisposable & { readonly url: string }> {
  const own = (): string => String((front.address() as AddressInfo).port);
  const through = (headers: IncomingHttpHeaders): IncomingHttpHeaders => {
    const renamed = (text: string | undefined): string | undefined =>
      text?.replace(new RegExp(`(127\\.0\\.0\\.1|localhost):${own()}$`), `$1:${String(port)}`);
    const { host, origin } = headers;
    return { ...headers, host: renamed(host), ...(origin === undefined ? {} : { origin: renamed(origin) }) };
  };
  const front = createServer((asked, answer) => {
    const headers = { ...through(asked.headers), authorization: `Bearer ${token}` };
    const { method, url: path } = asked;
    const behind = request({ host: '127.0.0.1', port, method, path, headers }, (reply) => {
      answer.writeHead(reply.statusCode ?? 500, reply.headers);
      reply.pipe(answer);
    });
    behind.on('error', () => answer.destroy());
    answer.on('close', () => behind.destroy());
    asked.pipe(behind);
  });
  front.listen(0, '127.0.0.1');
  await once(front, 'listening');
  return {
    url: `http://127.0.0.1:${own()}/mcp`,
    [Symbol.asyncDispose]: async () => {
      front.close();
      front.closeAllConnections();
      await once(front, 'close');
    },
  };
}
