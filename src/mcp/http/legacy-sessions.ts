/**
 * Clients of 2025's protocol, each with a session: only there a server knows what the client can do, so that the person
 * can be asked before something is changed, and a call can be cancelled. Since 2026 each request says all of that itself.
 */
import { randomUUID } from 'node:crypto';
import type { McpServerFactory } from '@modelcontextprotocol/server';
import { isInitializeRequest, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { MESSAGE_BYTES_MAX } from '../limits.js';
import { followed } from './followed-response.js';
import { callsIn, cancelledIn, LegacyCalls } from './legacy-calls.js';
import { SESSION_IDLE_MAX_MS, SESSIONS_MAX } from './limits.js';

const SESSION_HEADER = 'mcp-session-id';
/** Of the protocol, for a session that is not known, or not any more: the client begins anew. */
const NOT_FOUND = { status: 404, code: -32_001, message: 'There is no such session: initialize anew.' };
const MISSING = {
  status: 400,
  code: -32_000,
  message: 'Begin with initialize, and say the session that it is answered with.',
};
const FULL = { status: 503, code: -32_000, message: 'All sessions are busy: come back when one has ended.' };

interface Session {
  readonly transport: WebStandardStreamableHTTPServerTransport;
  readonly calls: LegacyCalls;
  readonly close: () => Promise<void>;
  underWay: number;
  lastAt: number;
}

export interface LegacySessionsOptions {
  readonly factory: McpServerFactory;
  readonly onerror: (error: Error) => void;
  readonly sessionsMax?: number;
  readonly idleMaxMs?: number;
  readonly now?: () => number;
}

export class LegacySessions {
  readonly #options: Required<LegacySessionsOptions>;
  /** By id; the one silent for longest comes first. */
  readonly #sessions = new Map<string, Session>();

  constructor(options: LegacySessionsOptions) {
    this.#options = {
      sessionsMax: SESSIONS_MAX,
      idleMaxMs: SESSION_IDLE_MAX_MS,
      now: () => performance.now(),
      ...options,
    };
  }

  /** @param parsedBody undefined for a request without one */
  async fetch(request: Request, parsedBody: unknown): Promise<Response> {
    await this.#forgetIdle();
    const id = request.headers.get(SESSION_HEADER);
    if (id !== null) {
      const session = this.#sessions.get(id);
      return session === undefined ? refused(NOT_FOUND) : this.#handle(id, session, request, parsedBody);
    }
    if (!isInitializeRequest(parsedBody)) return refused(MISSING);
    if (!(await this.#makeRoom())) return refused(FULL);
    const [fresh, session] = await this.#open();
    return this.#handle(fresh, session, request, parsedBody);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.keys()].map((id) => this.#forget(id)));
  }

  async #open(): Promise<readonly [id: string, session: Session]> {
    const { factory, onerror, now } = this.#options;
    const id = randomUUID();
    const transport = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      onsessionclosed: () => this.#forget(id),
      maxRequestBodySize: MESSAGE_BYTES_MAX,
    });
    const server = await factory({ era: 'legacy' });
    await server.connect(transport);
    const calls = new LegacyCalls(transport, onerror);
    const session = { transport, calls, close: () => server.close(), underWay: 0, lastAt: now() };
    this.#sessions.set(id, session);
    return [id, session];
  }

  async #handle(id: string, session: Session, request: Request, parsedBody: unknown): Promise<Response> {
    session.underWay += 1;
    const calls = callsIn(parsedBody);
    const ended = session.calls.begin(calls);
    const done = (): void => {
      ended();
      session.underWay -= 1;
      this.#touch(id, session);
    };
    this.#touch(id, session);
    try {
      const response = await session.transport.handleRequest(request, { parsedBody });
      for (const cancelled of cancelledIn(parsedBody)) session.calls.end(cancelled);
      const gone = (): void => {
        for (const call of calls) session.calls.cancel(call);
      };
      return followed(response, { signal: request.signal, done, gone });
    } catch (error) {
      done();
      throw error;
    }
  }

  /** It was heard of just now: others have been silent for longer. */
  #touch(id: string, session: Session): void {
    session.lastAt = this.#options.now();
    if (this.#sessions.delete(id)) this.#sessions.set(id, session);
  }

  async #forgetIdle(): Promise<void> {
    const { now, idleMaxMs } = this.#options;
    const since = now() - idleMaxMs;
    for (const [id, { lastAt, underWay }] of this.#sessions) {
      if (lastAt > since) return;
      if (underWay === 0) await this.#forget(id);
    }
  }

  async #makeRoom(): Promise<boolean> {
    if (this.#sessions.size < this.#options.sessionsMax) return true;
    const idle = [...this.#sessions].find(([, { underWay }]) => underWay === 0);
    if (idle === undefined) return false;
    await this.#forget(idle[0]);
    return true;
  }

  async #forget(id: string): Promise<void> {
    const session = this.#sessions.get(id);
    this.#sessions.delete(id);
    await session?.close().catch(this.#options.onerror);
  }
}

function refused({ status, code, message }: typeof NOT_FOUND): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
}
