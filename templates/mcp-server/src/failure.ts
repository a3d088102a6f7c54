/** What an agent is told when something fails: what happened, what was seen, what to do next. Never a stack trace. */
import type { CallToolResult } from '@modelcontextprotocol/server';
import { Nexus3Error } from 'nexus3/client';

/** For a tool that cannot do what it was asked. */
export class Refused extends Error {
  constructor(
    message: string,
    /** What to do now, as a sentence. */
    readonly hint: string,
  ) {
    super(message);
  }
}

export function failure(error: unknown): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: wordsOf(error) }] };
}

function wordsOf(error: unknown): string {
  if (error instanceof Refused) return `${error.message}\nNext: ${error.hint}`;
  if (error instanceof Nexus3Error) {
    return [`${error.code}: ${error.message}`, ...error.evidence, `Next: ${error.hint}`].join('\n');
  }
  return `This failed: ${error instanceof Error ? error.message : String(error)}`;
}
