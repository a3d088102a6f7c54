/** An MCP server made of tools: it checks what comes in, asks the person where a tool wants that, and says errors as an agent needs them. */
import { McpServer } from '@modelcontextprotocol/server';
import type { CallToolResult, InputRequiredResult, McpServerFactory } from '@modelcontextprotocol/server';
import { confirm } from './confirm.js';
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
}

/** For whichever transport: each connection, or request over HTTP, has a server of its own over one context. */
export function toolServerFactory<Context>(options: ToolServerOptions<Context>): McpServerFactory {
  return ({ era }) => {
    const server = new McpServer(
      { name: options.name, version: options.version },
      { capabilities: { tools: {} }, instructions: options.instructions },
    );
    for (const tool of options.tools) register(server, tool, options.context, era);
    return server;
  };
}

function register<Context>(server: McpServer, tool: Tool<Context>, context: Context, era: 'legacy' | 'modern'): void {
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
        const question = await tool.question?.(args, context);
        if (question !== undefined) {
          const answer = await confirm(question, { server, request, era });
          if (answer !== 'go on') return answer;
        }
        const structuredContent = await tool.run(args, context, { signal: request.mcpReq.signal });
        return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
      } catch (error) {
        return toolFailure(error);
      }
    },
  );
}
