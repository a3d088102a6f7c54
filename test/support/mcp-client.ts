/** A real MCP client and the built command as its server, over stdin and stdout or over HTTP, in both ages of the protocol. */
import { spawn } from 'node:child_process';
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Client, Transport } from '@modelcontextprotocol/client';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';
import { expect } from 'vitest';
import type { OpenControl } from './control-talk.js';
import type { Era, Person } from './mcp-link.js';
import { mcpClient } from './mcp-link.js';
import type { Nexus } from './nexus.js';
import { freePortBlock } from './nexus.js';

export const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

export const TRANSPORTS = ['stdio', 'http'] as const;
export type TransportName = (typeof TRANSPORTS)[number];

/** How long a server may take to answer at all, or to end, in milliseconds, on a busy machine. */
const SERVER_WAIT_MS = 20_000;

export interface ServerOptions {
  /** Of the command: `['mcp', 'serve', 'track']`. */
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** False: without `--config`. */
  readonly configured?: boolean;
}

/** The built command with pipes, to be talked to byte by byte. */
export class ServerProcess implements AsyncDisposable {
  readonly child: ChildProcessWithoutNullStreams;
  err = '';
  readonly #exit: Promise<number | null>;

  constructor(nexus: Nexus, { args, env = {}, configured = true }: ServerOptions) {
    const globals = configured ? ['--config', nexus.configFile] : [];
    this.child = spawn(process.execPath, [MAIN, ...globals, ...args], {
      cwd: nexus.root,
      env: { ...nexus.env, ...env },
    });
    this.child.stderr.on('data', (chunk: Buffer) => (this.err += chunk.toString('utf8')));
    // It may have ended.
    this.child.stdin.on('error', () => undefined);
    this.#exit = once(this.child, 'exit').then(([code]) => code as number | null);
  }

  /** Its exit code; null: killed by a signal. */
  async ended(): Promise<number | null> {
    return inTime(this.#exit, () => `it did not end: ${this.err}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill('SIGKILL');
    await this.#exit;
    this.child.stdout.destroy();
    this.child.stderr.destroy();
  }
}

/** The built command, listening. */
export class HttpServerProcess extends ServerProcess {
  private constructor(
    nexus: Nexus,
    options: ServerOptions,
    readonly port: number,
  ) {
    super(nexus, { ...options, args: [...options.args, '--http', String(port)] });
  }

  static async start(nexus: Nexus, options: ServerOptions): Promise<HttpServerProcess> {
    const server = new HttpServerProcess(nexus, options, await freePortBlock(1));
    const listening = new Promise<void>((resolve, reject) => {
      server.child.stderr.on('data', () => {
        if (server.err.includes(' answers at ')) resolve();
      });
      server.child.once('exit', (code) => {
        reject(new Error(`it ended with ${String(code)}: ${server.err}`));
      });
    });
    try {
      await inTime(listening, () => `it does not listen: ${server.err}`);
      return server;
    } catch (error) {
      await server[Symbol.asyncDispose]();
      throw error;
    }
  }

  get url(): string {
    return `http://127.0.0.1:${String(this.port)}/mcp`;
  }
}

export async function bearerToken(nexus: Nexus, ...args: readonly string[]): Promise<string> {
  const { code, out, err } = await nexus.run('mcp', 'token', ...args);
  expect(code, err).toBe(0);
  return out.trim();
}

export function stdioTransport(nexus: Nexus, { args, env = {} }: ServerOptions): StdioClientTransport {
  return new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, '--config', nexus.configFile, ...args],
    env: { ...nexus.env, ...env },
    cwd: nexus.root,
    stderr: 'ignore',
  });
}

export function httpTransport(url: string, token: string): StreamableHTTPClientTransport {
  return new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { authorization: `Bearer ${token}` } },
  });
}

export interface Connected extends AsyncDisposable {
  readonly client: Client;
  /** Of the server's process. */
  readonly pid: number;
}

/** The care server as a host has it, for the scenarios of its tools. */
export function controlOver(transport: TransportName): OpenControl {
  return async (nexus, { allowChanges }) => {
    const args = ['mcp', 'control', ...(allowChanges ? ['--allow-changes'] : [])];
    if (transport === 'stdio') {
      const own = stdioTransport(nexus, { args });
      return { transport: own, log: () => '', [Symbol.asyncDispose]: () => own.close() };
    }
    const server = await HttpServerProcess.start(nexus, { args });
    const own = httpTransport(server.url, await bearerToken(nexus));
    return { transport: own, log: () => server.err, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
  };
}

/** A client whose server is ended with it. */
export async function connected(
  nexus: Nexus,
  how: { readonly transport: TransportName; readonly era: Era; readonly person?: Person },
  options: ServerOptions,
): Promise<Connected> {
  const client = mcpClient(how.era, how.person);
  const server = how.transport === 'http' ? await HttpServerProcess.start(nexus, options) : undefined;
  const end = async (): Promise<void> => {
    await client.close();
    await server?.[Symbol.asyncDispose]();
  };
  try {
    const own = server === undefined ? stdioTransport(nexus, options) : undefined;
    const transport: Transport = own ?? httpTransport(server?.url ?? '', await bearerToken(nexus));
    await client.connect(transport);
    return { client, pid: own?.pid ?? server?.child.pid ?? 0, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function inTime<T>(work: Promise<T>, otherwise: () => string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(otherwise())), SERVER_WAIT_MS);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
