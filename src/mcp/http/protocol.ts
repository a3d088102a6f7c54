/** Both ages of the protocol behind one door: since 2026 each request stands for itself, before that clients had sessions. */
import type { McpServerFactory } from '@modelcontextprotocol/server';
import { createMcpHandler, isJsonContentType, isLegacyRequest } from '@modelcontextprotocol/server';
import { MESSAGE_BYTES_MAX } from '../limits.js';
import { LegacySessions } from './legacy-sessions.js';
import { STREAMS_MAX } from './limits.js';

export interface HttpProtocol {
  fetch(request: Request): Promise<Response>;
  /** Ends what is under way. */
  close(): Promise<void>;
}

export function httpProtocol(factory: McpServerFactory, onerror: (error: Error) => void): HttpProtocol {
  const modern = createMcpHandler(factory, {
    legacy: 'reject',
    onerror,
    maxRequestBodySize: MESSAGE_BYTES_MAX,
    maxSubscriptions: STREAMS_MAX,
  });
  const legacy = new LegacySessions({ factory, onerror });
  return {
    fetch: async (request) => {
      if (request.method !== 'POST') return legacy.fetch(request, undefined);
      if (!isJsonContentType(request.headers.get('content-type'))) {
        return failure(415, -32_000, 'Send application/json.');
      }
      // Once for both, and for the question which of them it is for. Its size is bounded already.
      const body = parsed(await request.text());
      if (body === undefined) return failure(400, -32_700, 'The body is no JSON.');
      const bodiless = new Request(request.url, { method: 'POST', headers: request.headers, signal: request.signal });
      return (await isLegacyRequest(bodiless, body.value))
        ? legacy.fetch(bodiless, body.value)
        : modern.fetch(bodiless, { parsedBody: body.value });
    },
    close: async () => {
      await Promise.all([legacy.close(), modern.close()]);
    },
  };
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function failure(status: number, code: number, message: string): Response {
  return Response.json({ jsonrpc: '2.0', error: { code, message }, id: null }, { status });
}
