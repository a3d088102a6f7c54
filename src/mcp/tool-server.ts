/** An MCP server made of tools: it checks what comes in, asks the person where a tool wants that, and says errors as an agent needs them. */
import { McpServer } from '@modelcontextprotocol/server';
import type { CallToolResult, InputRequiredResult, McpServerFactory } from '@modelcontextprotocol/server';
import { CallProgress } from './call-progress.js';
import { Confirmations } from './confirm.js';
import { answerJson, answerValue } from './json-list.js';
import { toolFailure } from './tool-failure.js';
import type { Tool } from './tool.js';

export interface ToolServerOptions<Context> {
  /** `nexus3`, `nexus3-control` */
  readonly name: string;
  readonly version: string;
  /** What an agent should know before it calls anything. */
  readonly instructions: string;
  readonly tools: readonly Tool<Context>[];
  readonly context: Context;
  /** How long a person may take to answer, in milliseconds; ten minutes by default. */
  readonly answerTimeoutMs?: number;
}

/** For whichever transport: each connection, or request over HTTP, has a server of its own over one context. */
export function toolServerFactory<Context>(options: ToolServerOptions<Context>): McpServerFactory {
  const confirmations = new Confirmations(options.answerTimeoutMs);
  return ({ era }) => {
    const server = new McpServer(
      { name: options.name, version: options.version },
      {
        // The tools of a server stay what they are for as long as it lives.
        capabilities: { tools: { listChanged: false } },
        instructions: options.instructions,
        requestState: { verify: confirmations.verify },
      },
    );
    for (const tool of options.tools) register(server, tool, options.context, { era, confirmations });
    return server;
  };
}

interface Serving {
  readonly era: 'legacy' | 'modern';
  readonly confirmations: Confirmations;
}

function register<Context>(
  server: McpServer,
  tool: Tool<Context>,
  context: Context,
  { era, confirmations }: Serving,
): void {
  const { name, title, description, input, output, effect, idempotent } = tool;
  server.registerTool(
    name,
    {
      title,
      description,
      inputSchema: input,
      outputSchema: output,
      annotations: {
        title,
        readOnlyHint: effect === 'read',
        destructiveHint: effect === 'destroy',
        idempotentHint: idempotent,
        openWorldHint: false,
      },
    },
    async (args, request): Promise<CallToolResult | InputRequiredResult> => {
      try {
        const question = () => tool.question?.(args, context) ?? Promise.resolve(undefined);
        const answer = await confirmations.confirm({ tool: name, args, question }, { server, request, era });
        if (!answer.agreed) return answer.ask;
        using progress = new CallProgress(request.mcpReq);
        const { signal } = request.mcpReq;
        const output = await tool.run(args, context, { signal, progress, agreed: answer.to });
        const text = tool.text?.(output) ?? answerJson(output);
        return { content: [{ type: 'text', text }], structuredContent: answerValue(output) };
      } catch (error) {
        return toolFailure(error);
      }
    },
  );
}
