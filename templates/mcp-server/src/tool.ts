/** A tool is data: what it is called, takes, gives and may do, and one function that does it. */
import type { CallToolResult, McpServer } from '@modelcontextprotocol/server';
import type { z } from 'zod';
import { failure } from './failure.js';
import type { Store } from './store.js';

export interface Tool<Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  readonly name: string;
  readonly title: string;
  /** For an agent: when to use it, and what it gives back. */
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  /** `destroy` takes away what cannot be had back. */
  readonly effect: 'read' | 'write' | 'destroy';
  /** Called twice with the same input, the second time changes nothing more. */
  readonly idempotent: boolean;
  readonly run: (input: z.output<Input>, store: Store) => Promise<z.output<Output>>;
}

/** Infers the types of input and output; the list of all tools then forgets them. */
export function tool<Input extends z.ZodObject, Output extends z.ZodObject>(definition: Tool<Input, Output>): Tool {
  return definition;
}

/** The server checks what comes in and what goes out against the schemas. */
export function addTool(server: McpServer, definition: Tool, store: Store): void {
  const { name, title, description, input, output, effect, idempotent } = definition;
  const annotations = {
    title,
    readOnlyHint: effect === 'read',
    destructiveHint: effect === 'destroy',
    idempotentHint: idempotent,
    openWorldHint: false,
  };
  server.registerTool(
    name,
    { title, description, inputSchema: input, outputSchema: output, annotations },
    async (args): Promise<CallToolResult> => {
      try {
        const structuredContent = await definition.run(args, store);
        return { content: [{ type: 'text', text: JSON.stringify(structuredContent) }], structuredContent };
      } catch (error) {
        return failure(error);
      }
    },
  );
}
