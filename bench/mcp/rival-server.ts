/**
 * The published MCP server for FalkorDB, installed as a person gets it: by npm, with what it depends on. It is no
 * dependency of ours. Its `query_graph_readonly` is meant for replicas, so it is given the operational, which wants no
 * password; it connects before it serves.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runWhole } from '../whole-process.js';
import type { ServerUnderTest } from './session.js';

const PACKAGE = '@falkordb/mcpserver';
const VERSION = '1.3.0';
const INSTALL_TIMEOUT_MS = 300_000;

/** The registry cannot be asked: the bench cannot be run. */
export class RivalUnavailable extends Error {}

export async function publishedServer(operationalPort: number): Promise<ServerUnderTest> {
  const folder = await install();
  const { PATH = '' } = process.env;
  return {
    title: `${PACKAGE} ${VERSION}`,
    command: process.execPath,
    args: [join(folder, 'node_modules', PACKAGE, 'dist', 'index.js')],
    // `production`: by itself it makes a folder for logs only in development.
    env: {
      PATH,
      NODE_ENV: 'production',
      FALKORDB_HOST: '127.0.0.1',
      FALKORDB_PORT: String(operationalPort),
      FALKORDB_DEFAULT_READONLY: 'true',
      MCP_TRANSPORT: 'stdio',
    },
    query: {
      tool: 'query_graph_readonly',
      input: (graph, query, params) => ({ graphName: graph, query, params }),
      rows: ({ content }) => rowsIn(content.find(({ type }) => type === 'text')?.text ?? ''),
    },
  };
}

function rowsIn(text: string): number {
  return (JSON.parse(text) as { readonly data?: readonly unknown[] }).data?.length ?? 0;
}

async function install(): Promise<string> {
  const folder = join(tmpdir(), 'mcp-rival');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true }));
  try {
    await runWhole({
      command: 'npm',
      args: [
        'install',
        '--prefix',
        folder,
        '--ignore-scripts',
        '--no-audit',
        '--no-fund',
        '--loglevel=error',
        `${PACKAGE}@${VERSION}`,
      ],
      // As npm is set up here: its registry, its certificates.
      env: process.env,
      timeoutMs: INSTALL_TIMEOUT_MS,
    });
  } catch (error) {
    throw new RivalUnavailable(`${PACKAGE}@${VERSION} could not be installed: ${String(error)}`);
  }
  return folder;
}
