/** A real MCP client and a server in this process, with nothing but memory between them; both protocol eras. */
import type { ClientCapabilities, ElicitResult } from '@modelcontextprotocol/client';
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import type { McpServerFactory } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';

export const ERAS = ['legacy', 'modern'] as const;
export type Era = (typeof ERAS)[number];

/** What the person says, or how the host fails to ask; undefined: it cannot ask. */
export type Person = (question: string) => Promise<ElicitResult>;

export const SAYS_YES: ElicitResult = { action: 'accept', content: { confirm: true } };

/** Not connected yet. */
export function mcpClient(
  era: Era,
  person?: Person,
  capabilities: ClientCapabilities = person === undefined ? {} : { elicitation: { form: {} } },
): Client {
  const client = new Client(
    { name: 'nexus3-test', version: '1.0.0' },
    { capabilities, versionNegotiation: { mode: era === 'modern' ? { pin: '2026-07-28' } : 'legacy' } },
  );
  if (person !== undefined) {
    client.setRequestHandler('elicitation/create', async ({ params }) => person(params.message));
  }
  return client;
}

/** Served as over stdio; closed with the client. */
export async function link(client: Client, factory: McpServerFactory): Promise<Client> {
  const [near, far] = InMemoryTransport.createLinkedPair();
  serveStdio(factory, { transport: far });
  await client.connect(near);
  return client;
}
