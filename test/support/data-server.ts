/** The data server over a real environment, driven by a real MCP client without a process between them. */
import { Client, InMemoryTransport } from '@modelcontextprotocol/client';
import { openEnvironment } from '../../src/compose-mcp-served.js';
import { DataContext } from '../../src/mcp/data/context.js';
import { dataInstructions } from '../../src/mcp/data/instructions.js';
import type { Opened } from '../../src/mcp/data/open-environment.js';
import { dataTools } from '../../src/mcp/data/tools.js';
import { toolServerFactory } from '../../src/mcp/tool-server.js';
import type { Nexus } from './nexus.js';

export interface ServedClient extends AsyncDisposable {
  readonly client: Client;
  readonly context: DataContext;
}

export interface ServeOptions {
  readonly write: boolean;
  readonly environments: readonly string[];
  /** What the person says to a question; undefined: the host cannot ask. */
  readonly answer?: (question: string) => boolean;
  readonly open?: (env: string) => Promise<Opened>;
}

export async function serveData(nexus: Nexus, options: ServeOptions): Promise<ServedClient> {
  const { write, environments, answer } = options;
  const surroundings = { cwd: nexus.root, env: nexus.env };
  const context = new DataContext({
    environments: environments.map((name) => ({ name, kind: nexus.options.environments[name] ?? 'standard' })),
    open: options.open ?? ((env) => openEnvironment(env, { token: undefined, config: nexus.configFile, surroundings })),
  });
  const factory = toolServerFactory({
    name: 'nexus3',
    version: '0.0.0',
    instructions: dataInstructions({ write }),
    tools: dataTools({ write }),
    context,
  });
  const [there, here] = InMemoryTransport.createLinkedPair();
  const server = await factory({ era: 'legacy' });
  await server.connect(there);
  const client = new Client(
    { name: 'test', version: '0.0.0' },
    answer === undefined ? {} : { capabilities: { elicitation: { form: {} } } },
  );
  if (answer !== undefined) {
    client.setRequestHandler('elicitation/create', ({ params }) => ({
      action: 'accept',
      content: { confirm: answer(params.message) },
    }));
  }
  await client.connect(here);
  return {
    client,
    context,
    async [Symbol.asyncDispose]() {
      await client.close();
      await context[Symbol.asyncDispose]();
    },
  };
}
