/**
 * The calls of a session, ended where nobody waits for their answer. The SDK takes a connection that is gone for one that
 * may come back, and leaves the stream of a cancelled call open. Here no stream can be resumed, so the first would work on for
 * nobody, and the second would hold its place until its client went away.
 */
import type { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';

export type CallId = string | number;

type SessionTransport = Pick<
  WebStandardStreamableHTTPServerTransport,
  'onmessage' | 'onerror' | 'closeSSEStream' | 'send'
>;

export class LegacyCalls {
  readonly #transport: SessionTransport;
  /** Those that share a stream: a batch, which 2025's first protocol had. */
  readonly #batched = new Set<CallId>();
  #quiet = false;

  constructor(transport: SessionTransport, onerror: (error: Error) => void) {
    this.#transport = transport;
    transport.onerror = (error) => {
      if (!this.#quiet) onerror(error);
    };
  }

  /** @returns what to call when their stream has ended */
  begin(ids: readonly CallId[]): () => void {
    if (ids.length < 2) return () => undefined;
    for (const id of ids) this.#batched.add(id);
    return () => {
      for (const id of ids) this.#batched.delete(id);
    };
  }

  /** Its connection is gone: as if the client had cancelled it. Nothing happens to one that was answered. */
  cancel(id: CallId): void {
    const params = { requestId: id, reason: 'The connection is gone.' };
    this.#transport.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    this.end(id);
  }

  /** A cancelled call has no answer: what it would have come over ends, and the transport forgets it. */
  end(id: CallId): void {
    if (!this.#batched.has(id)) this.#transport.closeSSEStream(id);
    // An answer that nobody can get is the one way to have it forgotten; that it cannot be delivered is meant.
    this.#quiet = true;
    this.#transport
      .send({ jsonrpc: '2.0', id, error: { code: -32_800, message: 'cancelled' } })
      // It was answered before.
      .catch(() => undefined);
    this.#quiet = false;
  }
}

/** Ids of the requests in a body; it may be anything. */
export function callsIn(body: unknown): readonly CallId[] {
  return messagesIn(body).flatMap(({ id, method }) => (typeof method === 'string' && isCallId(id) ? [id] : []));
}

/** Ids of the requests that a body cancels. */
export function cancelledIn(body: unknown): readonly CallId[] {
  return messagesIn(body).flatMap(({ method, params }) => {
    if (method !== 'notifications/cancelled') return [];
    const [{ requestId } = {}] = messagesIn(params);
    return isCallId(requestId) ? [requestId] : [];
  });
}

function messagesIn(body: unknown): readonly Readonly<Record<string, unknown>>[] {
  const all: readonly unknown[] = Array.isArray(body) ? body : [body];
  return all.filter((one): one is Readonly<Record<string, unknown>> => typeof one === 'object' && one !== null);
}

function isCallId(value: unknown): value is CallId {
  return typeof value === 'string' || typeof value === 'number';
}
