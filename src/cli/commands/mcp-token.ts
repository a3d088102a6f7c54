import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';

export const mcpToken: CommandSpec = {
  name: 'mcp token',
  summary: 'print what a client shows an MCP server over HTTP',
  description:
    'Prints the token that `nexus3 mcp serve --http` and `nexus3 mcp control --http` want to be shown, and makes one where there is none. It is one value in the locker mcp; that it was asked for is written into Locker’s audit first. --new replaces it: servers that run refuse the old one within seconds.',
  arguments: [],
  options: [{ flags: '--new', description: 'make another one; the one there was is refused from now on' }],
  examples: [
    { command: 'nexus3 mcp token', does: 'the token, alone' },
    { command: 'nexus3 mcp token --new', does: 'another one' },
  ],
  exitCodes: { [EXIT.unreachable]: 'Locker cannot be reached, or the value cannot be opened' },
  schema: 'nexus3.mcp-token/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const { token, made } = await operations.mcpToken(await context.world(), { fresh: args.flag('new') });
    progress.clear();
    const value = token.reveal();
    output.result('nexus3.mcp-token/1', { ok: true, made, token: value }, () => [value]);
    return EXIT.good;
  },
};
