/** The person's word before something is changed, in whichever way the host can ask for it. */
import type { CallToolResult, InputRequiredResult, McpServer, ServerContext } from '@modelcontextprotocol/server';
import { acceptedContent, inputRequired } from '@modelcontextprotocol/server';
import { z } from 'zod';

export interface Asked {
  readonly server: McpServer;
  readonly request: ServerContext;
  readonly era: 'legacy' | 'modern';
}

const ANSWER = z.object({ confirm: z.boolean().describe('Do it') });
/** How long a person may take, in milliseconds. */
const ANSWER_TIMEOUT_MS = 600_000;

/** `go on` when the person agreed, or the host cannot ask; otherwise what the tool gives back instead of its result. */
export async function confirm(
  question: string,
  { server, request, era }: Asked,
): Promise<'go on' | CallToolResult | InputRequiredResult> {
  // Deprecated for what came after it; for a host of 2025 this is the one way. So is elicitInput below.
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  if (server.server.getClientCapabilities()?.elicitation === undefined) return 'go on';
  if (era === 'modern') {
    const { inputResponses } = request.mcpReq;
    if (inputResponses?.['confirm'] === undefined) {
      return inputRequired({
        inputRequests: { confirm: inputRequired.elicit({ message: question, requestedSchema: ANSWER }) },
      });
    }
    return acceptedContent(inputResponses, 'confirm', ANSWER)?.confirm === true ? 'go on' : declined(question);
  }
  const requestedSchema = {
    type: 'object' as const,
    properties: { confirm: { type: 'boolean' as const, title: 'Do it' } },
    required: ['confirm'],
  };
  // eslint-disable-next-line @typescript-eslint/no-deprecated
  const answer = await request.mcpReq.elicitInput(
    { mode: 'form', message: question, requestedSchema },
    { timeout: ANSWER_TIMEOUT_MS },
  );
  return answer.action === 'accept' && answer.content?.['confirm'] === true ? 'go on' : declined(question);
}

function declined(question: string): CallToolResult {
  const text = `The person did not agree, so nothing was changed. They were asked: ${question}`;
  return { isError: true, content: [{ type: 'text', text }] };
}
