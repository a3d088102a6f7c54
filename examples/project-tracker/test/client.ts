/** A real MCP client that starts the server as a host would: a process of its own, spoken to over stdio. */
import { fileURLToPath } from 'node:url';
import type { CallToolResult } from '@modelcontextprotocol/client';
import { Client } from '@modelcontextprotocol/client';
import { getDefaultEnvironment, StdioClientTransport } from '@modelcontextprotocol/client/stdio';

export const SERVER = fileURLToPath(new URL('../src/server.js', import.meta.url));
/** A host hands a server few variables; these say where the environment and its credentials are. */
const NEXUS3_VARIABLE = /^(NEXUS3|XDG)_/;

export interface Started extends AsyncDisposable {
  readonly client: Client;
  /** What a tool gives back; its words are the error where it fails. */
  call(name: string, input?: Record<string, unknown>): Promise<Record<string, unknown>>;
  /** The words of a tool that must fail. */
  refusal(name: string, input?: Record<string, unknown>): Promise<string>;
}

export function environmentOf(variables: Record<string, string>): Record<string, string> {
  const handed = Object.entries(process.env).filter(([name]) => NEXUS3_VARIABLE.test(name)) as [string, string][];
  return { ...getDefaultEnvironment(), ...Object.fromEntries(handed), ...variables };
}

export async function startServer(variables: Record<string, string>): Promise<Started> {
  const env = environmentOf(variables);
  const transport = new StdioClientTransport({ command: process.execPath, args: [SERVER], env, stderr: 'ignore' });
  const client = new Client({ name: 'test', version: '0.1.0' });
  await client.connect(transport);
  const ask = async (name: string, input: Record<string, unknown> = {}): Promise<CallToolResult> =>
    client.callTool({ name, arguments: input });
  return {
    client,
    async call(name, input) {
      const result = await ask(name, input);
      if (result.isError === true) throw new Error(wordsOf(result));
      return (result.structuredContent ?? {}) as Record<string, unknown>;
    },
    async refusal(name, input) {
      const result = await ask(name, input);
      if (result.isError !== true) throw new Error(`${name} did not fail: ${wordsOf(result)}`);
      return wordsOf(result);
    },
    [Symbol.asyncDispose]: () => client.close(),
  };
}

function wordsOf(result: CallToolResult): string {
  return result.content.map((part) => (part.type === 'text' ? part.text : part.type)).join('\n');
}
