/** The protocol by hand, for what no client would send. */
import { request } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import type { ServerProcess } from './mcp-client.js';

export interface Message {
  readonly jsonrpc?: unknown;
  readonly id?: unknown;
  readonly method?: unknown;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly code: number; readonly message: string };
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'first',
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'by hand', version: '1' } },
};

/** Lines to a server on its stdin, and every line that it has answered. */
export class RawLines {
  readonly lines: string[] = [];
  #rest = '';
  readonly #server: ServerProcess;

  constructor(server: ServerProcess) {
    this.#server = server;
    server.child.stdout.on('data', (chunk: Buffer) => {
      const parts = (this.#rest + chunk.toString('utf8')).split('\n');
      this.#rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
  }

  send(message: unknown): void {
    this.raw(`${JSON.stringify(message)}\n`);
  }

  raw(text: string | Buffer): void {
    this.#server.child.stdin.write(text);
  }

  /** The answer with this id, when it has come. */
  async answer(id: unknown, timeoutMs = 15_000): Promise<Message> {
    const giveUpAt = performance.now() + timeoutMs;
    for (;;) {
      const found = this.messages().find((message) => message.id === id && message.method === undefined);
      if (found !== undefined) return found;
      if (performance.now() > giveUpAt) throw new Error(`no answer ${String(id)} among ${String(this.lines.length)}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  /** @throws SyntaxError where a line is no JSON: then something else than the protocol was on stdout */
  messages(): readonly Message[] {
    return this.lines.map((line) => JSON.parse(line) as Message);
  }
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Ask {
  readonly method?: string;
  /** Just as it is to stand in the request line. */
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export const JSON_HEADERS = { 'content-type': 'application/json', accept: 'application/json, text/event-stream' };

/** One request over a connection of its own. */
export async function ask(port: number, { method = 'POST', path = '/mcp', headers = {}, body }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        const { statusCode = 0, headers: given } = response;
        resolve({ status: statusCode, headers: given, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
