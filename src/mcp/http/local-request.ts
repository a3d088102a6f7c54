/**
 * Whether a request comes from where it should: whoever asks this server by its own name, from no page of a browser but one
 * of its own. A page whose name was made to lead to 127.0.0.1 (DNS rebinding) says that name in Host; a page anywhere says
 * itself in Origin. The SDK's own checks take any port, which would let in a page of whatever else runs on this machine.
 */

/** The one path. */
export const MCP_PATH = '/mcp';

export type Refusal = 'host' | 'origin' | 'path';

export interface RequestHead {
  readonly url: string | undefined;
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/** Undefined: it may go on. */
export function refuseRequest({ url = '', host = '', origin }: RequestHead, port: number): Refusal | undefined {
  const names = [`127.0.0.1:${String(port)}`, `localhost:${String(port)}`];
  if (!names.includes(host.toLowerCase())) return 'host';
  if (origin !== undefined && !names.some((name) => origin.toLowerCase() === `http://${name}`)) return 'origin';
  // Just as it came: not decoded, no dots resolved.
  const query = url.indexOf('?');
  return (query === -1 ? url : url.slice(0, query)) === MCP_PATH ? undefined : 'path';
}
