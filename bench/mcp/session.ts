/** A stdio MCP server and a real client of it: spawned, initialized, its tools listed, called. */
import { readFileSync } from 'node:fs';
import { Client } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const MS_A_TICK = 10;

export interface Answer {
  readonly content: readonly { readonly type: string; readonly text?: string }[];
  readonly structuredContent?: unknown;
}

export interface ServerUnderTest {
  readonly title: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  /** How it is asked a query that only reads, and how many rows its answer has. */
  readonly query: {
    readonly tool: string;
    readonly input: (graph: string, query: string, params: Readonly<Record<string, number>>) => Record<string, unknown>;
    readonly rows: (answer: Answer) => number;
  };
}

export class Session implements AsyncDisposable {
  readonly #server: ServerUnderTest;
  readonly #client = new Client({ name: 'nexus3-bench', version: '1' });
  readonly #transport: StdioClientTransport;

  private constructor(server: ServerUnderTest) {
    this.#server = server;
    const { command, args, env } = server;
    this.#transport = new StdioClientTransport({ command, args: [...args], env: { ...env }, stderr: 'ignore' });
  }

  /** Until its tools are listed. */
  static async open(server: ServerUnderTest): Promise<Session> {
    const session = new Session(server);
    try {
      await session.#client.connect(session.#transport);
      const { tools } = await session.#client.listTools();
      if (!tools.some(({ name }) => name === server.query.tool)) throw new Error(`no tool ${server.query.tool}`);
      return session;
    } catch (error) {
      await session[Symbol.asyncDispose]();
      throw new Error(`${server.title} does not serve`, { cause: error });
    }
  }

  /** Milliseconds. Rejects unless the answer has so many rows. */
  async query(graph: string, query: string, params: Readonly<Record<string, number>>, rows: number): Promise<number> {
    const { tool, input, rows: rowsOf } = this.#server.query;
    const began = performance.now();
    const answer = (await this.#client.callTool({ name: tool, arguments: input(graph, query, params) })) as Answer;
    const ms = performance.now() - began;
    const found = rowsOf(answer);
    if (found !== rows) throw new Error(`${this.#server.title} answered ${String(found)} rows: ${words(answer)}`);
    return ms;
  }

  /** CPU time of the server so far, in milliseconds. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${String(this.#transport.pid)}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_A_TICK;
  }

  /** The rival does not end with its input: it is told to, rather than waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { pid } = this.#transport;
    if (pid !== null) process.kill(pid, 'SIGTERM');
    await this.#client.close();
  }
}

const WORDS_CHARS_MAX = 300;

function words(answer: Answer): string {
  return JSON.stringify(answer).slice(0, WORDS_CHARS_MAX);
}
