/** An error as an agent needs it: what happened, what was seen, what to do next; never a stack trace, never a secret. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { Nexus3Error } from '../errors.js';

export function toolFailure(error: unknown): CallToolResult {
  const text =
    error instanceof Nexus3Error
      ? [`${error.code}: ${error.message}`, ...error.evidence.map((line) => `  ${line}`), `Next: ${error.hint}`].join(
          '\n',
        )
      : `Something went wrong that nexus3 did not expect: ${error instanceof Error ? error.message : String(error)}`;
  return { isError: true, content: [{ type: 'text', text }] };
}
