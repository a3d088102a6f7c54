/** What is answered by this server itself, before the protocol has its turn. None of it repeats what was sent. */
import type { ServerResponse } from 'node:http';

interface Reply {
  readonly status: number;
  readonly message: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** As an error of JSON-RPC, which is what clients look for, over a connection that ends: its body was not read. */
export function refuse(response: ServerResponse, { status, message, headers }: Reply): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const body = JSON.stringify({ jsonrpc: '2.0', error: { code: -32_000, message }, id: null });
  response.writeHead(status, {
    'content-type': 'application/json',
    'cache-control': 'no-store',
    connection: 'close',
    ...headers,
  });
  response.end(body);
}
