/** MCP over HTTP, for programs of this machine that have the token. docs/mcp.md says what it answers. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { toNodeHandler } from '@modelcontextprotocol/node';
import type { NodeIncomingMessageLike } from '@modelcontextprotocol/node';
import type { McpServerFactory } from '@modelcontextprotocol/server';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { CallGate } from '../call-gate.js';
import { END_WAIT_MAX_MS, MESSAGE_BYTES_MAX } from '../limits.js';
import { within } from '../within.js';
import type { Bearer } from './bearer.js';
import {
  ANSWER_TIMEOUT_MS,
  CONNECTIONS_MAX,
  HEADER_BYTES_MAX,
  HEADERS_TIMEOUT_MS,
  IDLE_TIMEOUT_MS,
  REQUEST_TIMEOUT_MS,
  REQUEST_WAIT_MAX_MS,
  REQUESTS_AT_ONCE_MAX,
  REQUESTS_WAITING_MAX,
  RETRY_AFTER_S,
  TIMEOUT_CHECK_MS,
} from './limits.js';
import { MCP_PATH, refuseRequest } from './local-request.js';
import type { Refusal } from './local-request.js';
import { httpProtocol } from './protocol.js';
import { refuse } from './reply.js';

/** The one address. It is not to be chosen: what is served here is guarded for this machine alone. */
const ADDRESS = '127.0.0.1';

export interface HttpOptions {
  readonly port: number;
  readonly bearer: Bearer;
  /** Ends it. */
  readonly signal: AbortSignal;
  readonly log: (line: string) => void;
  /** Called when it answers. */
  readonly onListening: (url: string) => void;
}

/**
 * Resolves when it has ended: what is under way is waited for, for a bounded time.
 * @throws Nexus3Error PORT_TAKEN
 */
export async function serveOverHttp(factory: McpServerFactory, options: HttpOptions): Promise<void> {
  const { port, bearer, signal, log, onListening } = options;
  const onerror = (error: Error): void => log(error.message);
  const protocol = httpProtocol(factory, onerror);
  const answer = toNodeHandler(protocol, { onerror, maxRequestBodySize: MESSAGE_BYTES_MAX });
  const requests = new Requests({
    port,
    bearer,
    log,
    // The same in all but how its optional fields are declared.
    answer: (request, response) => answer(request as NodeIncomingMessageLike, response),
    ending: () => signal.aborted,
  });
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: TIMEOUT_CHECK_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
    },
    (request, response) => void requests.take(request, response),
  );
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, port);
  onListening(`http://${ADDRESS}:${String(port)}${MCP_PATH}`);
  await aborted(signal);
  server.close();
  server.closeIdleConnections();
  await within(END_WAIT_MAX_MS, requests.settled());
  await within(END_WAIT_MAX_MS, protocol.close());
  server.closeAllConnections();
}

interface RequestsInit {
  readonly port: number;
  readonly bearer: Bearer;
  readonly log: (line: string) => void;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly ending: () => boolean;
}

const REFUSED: Readonly<Record<Refusal, { readonly status: number; readonly message: string }>> = {
  host: { status: 403, message: 'This server answers to its own name only.' },
  origin: { status: 403, message: 'This server answers no page of another origin.' },
  path: { status: 404, message: `There is ${MCP_PATH} and nothing else.` },
};
/** DELETE ends a session. A stream of what nobody asked for, which GET would be, is not offered. */
const METHODS: readonly string[] = ['POST', 'DELETE'];

class Requests {
  readonly #init: RequestsInit;
  readonly #gate = new CallGate({
    atOnceMax: REQUESTS_AT_ONCE_MAX,
    waitingMax: REQUESTS_WAITING_MAX,
    waitMaxMs: REQUEST_WAIT_MAX_MS,
  });
  readonly #open = new Set<Promise<void>>();

  constructor(init: RequestsInit) {
    this.#init = init;
  }

  /** All that came before have been answered, or went away. */
  async settled(): Promise<void> {
    await Promise.all(this.#open);
  }

  async take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Who has gone away needs no answer, and is no fault.
    request.on('error', () => undefined);
    response.on('error', () => undefined);
    const taken = this.#take(request, response).catch((error: unknown) => {
      this.#init.log(error instanceof Error ? error.message : String(error));
      refuse(response, { status: 500, message: 'Something went wrong that nexus3 did not expect.' });
    });
    this.#open.add(taken);
    await taken;
    this.#open.delete(taken);
  }

  async #take(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { port, bearer, ending } = this.#init;
    const { host, origin, authorization } = request.headers;
    if (ending()) {
      refuse(response, { status: 503, message: 'This server is ending.', headers: retryAfter() });
      return;
    }
    const refusal = refuseRequest({ url: request.url, host, origin }, port);
    if (refusal !== undefined) {
      refuse(response, REFUSED[refusal]);
      return;
    }
    if (!(await bearer.accepts(authorization))) {
      const headers = { 'www-authenticate': 'Bearer realm="nexus3"' };
      refuse(response, { status: 401, message: 'Show the token: `nexus3 mcp token` prints it.', headers });
      return;
    }
    if (!METHODS.includes(request.method ?? '')) {
      const allow = METHODS.join(', ');
      refuse(response, { status: 405, message: `Only ${allow} are answered here.`, headers: { allow } });
      return;
    }
    await this.#answer(request, response);
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    try {
      await this.#gate.run(() => withinTime(response, this.#init.answer(request, response)), gone.signal);
    } catch (error) {
      if (gone.signal.aborted) return;
      if (!(error instanceof Nexus3Error)) throw error;
      refuse(response, { status: 503, message: `${error.message} ${error.hint}`, headers: retryAfter() });
    }
  }
}

/** Also that the last byte was taken: a client that reads nothing holds its place only for so long. */
async function withinTime(response: ServerResponse, answering: Promise<void>): Promise<void> {
  const timer = setTimeout(() => response.destroy(), ANSWER_TIMEOUT_MS);
  try {
    await answering;
    if (!response.closed) await new Promise((resolve) => response.once('close', resolve));
  } finally {
    clearTimeout(timer);
  }
}

function retryAfter(): Readonly<Record<string, string>> {
  return { 'retry-after': String(RETRY_AFTER_S) };
}

async function listen(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => {
      reject(systemErrorCode(error) === 'EADDRINUSE' ? taken(port) : error);
    });
    server.listen(port, ADDRESS, resolve);
  });
  server.on('error', () => undefined);
}

function taken(port: number): Nexus3Error {
  return new Nexus3Error('PORT_TAKEN', `Port ${String(port)} is taken.`, {
    evidence: [`${ADDRESS}:${String(port)}: something else listens there`],
    hint: 'Name another one with --http, or end what listens there.',
  });
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
