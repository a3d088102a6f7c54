/** One call of a tool by a real MCP client, and what came of it. */
import type { Client } from '@modelcontextprotocol/client';

export interface Called {
  readonly isError: boolean;
  /** What an agent reads. */
  readonly text: string;
  readonly data: Readonly<Record<string, unknown>> | undefined;
}

/** Longer than any call may take. */
const CALL_TIMEOUT_MS = 100_000;

export async function callTool(client: Client, name: string, args: object): Promise<Called> {
  try {
    const result = await client.callTool({ name, arguments: { ...args } }, { timeout: CALL_TIMEOUT_MS });
    const text = result.content.map((part) => (part.type === 'text' ? part.text : '')).join('\n');
    return { isError: result.isError === true, text, data: recordOf(result.structuredContent) };
  } catch (error) {
    // A refusal of the protocol, such as for input that no schema takes.
    return { isError: true, text: error instanceof Error ? error.message : String(error), data: undefined };
  }
}

function recordOf(value: unknown): Called['data'] {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : undefined;
}
