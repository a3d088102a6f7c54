import { InMemoryTransport } from '@modelcontextprotocol/client';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { describe } from 'vitest';
import { compose } from '../../src/compose.js';
import { ControlContext } from '../../src/mcp/control/context.js';
import { controlInstructions, controlTools } from '../../src/mcp/control/tools.js';
import { toolServerFactory } from '../../src/mcp/tool-server.js';
import { PROCESS_HANDS } from '../support/break.js';
import { describeControl } from '../support/control-scenarios.js';
import type { OpenControl } from '../support/control-talk.js';

/** In this process, with nothing but memory in between: all that is not the transport. */
const open: OpenControl = async (nexus, { allowChanges }) => {
  const [near, far] = InMemoryTransport.createLinkedPair();
  const lines: string[] = [];
  const context = new ControlContext({
    compose: (progress) => compose({ config: nexus.configFile }, progress, { cwd: nexus.root, env: nexus.env }),
    version: '1.0.0',
    log: (line) => lines.push(line),
  });
  const handle = serveStdio(
    toolServerFactory({
      name: 'nexus3-control',
      version: '1.0.0',
      instructions: controlInstructions({ allowChanges }),
      tools: controlTools({ allowChanges }),
      context,
    }),
    { transport: far },
  );
  return {
    transport: near,
    log: () => lines.join('\n'),
    async [Symbol.asyncDispose]() {
      await handle.close();
      await context[Symbol.asyncDispose]();
    },
  };
};

describe('the care server, on the embedded runtime', () => {
  describeControl({
    options: { runtime: 'process', environments: { track: 'standard', notes: 'secure' } },
    hands: PROCESS_HANDS,
    open,
  });
});
