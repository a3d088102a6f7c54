#!/usr/bin/env node
/** The MCP server: its tools over stdio, one connection to the environment, and its end. stdout is the protocol's alone. */
import { McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { ENVIRONMENT, SERVER_NAME } from './environment.js';
import { Store } from './store.js';
import { addTool } from './tool.js';
import { INSTRUCTIONS, TOOLS } from './tools/index.js';

const VERSION = '0.1.0';

const store = new Store();
const connection = serveStdio(
  () => {
    const server = new McpServer(
      { name: SERVER_NAME, version: VERSION },
      { capabilities: { tools: {} }, instructions: INSTRUCTIONS },
    );
    for (const tool of TOOLS) addTool(server, tool, store);
    return server;
  },
  { onerror: (error) => console.error(`${SERVER_NAME}: ${error.message}`) },
);
console.error(`${SERVER_NAME} serves ${ENVIRONMENT} over stdio. An MCP client starts it; Ctrl-C ends it.`);

let ending: Promise<void> | undefined;
async function end(): Promise<void> {
  await connection.close();
  await store.close();
}
function endOnce(): void {
  ending ??= end().catch((error: unknown) => console.error(error));
}
// A client that goes away closes stdin.
process.stdin.once('end', endOnce).once('close', endOnce);
process.once('SIGINT', endOnce).once('SIGTERM', endOnce);
