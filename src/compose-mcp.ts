/**
 * The MCP servers, composed by themselves: a host starts one for each conversation, so nothing is loaded before a tool, or
 * the way it is reached, needs it.
 */
import { tokenPath } from './compose-credentials.js';
import type { Surroundings } from './config/locate.js';
import type { Overrides } from './config/load.js';
import { CallGate, gated } from './mcp/call-gate.js';
import { lineLog } from './mcp/line-log.js';
import type { StdioStreams } from './mcp/stdio.js';
import { toolServerFactory } from './mcp/tool-server.js';
import type { Tool } from './mcp/tool.js';
import type { Progress } from './progress.js';
import { SILENT } from './progress.js';
import type { World } from './reconcile/world.js';

/** Where it runs, and what it is reached by. */
export interface ServeOptions {
  readonly overrides: Overrides;
  readonly surroundings: Surroundings;
  readonly streams: Pick<StdioStreams, 'stdin' | 'stdout' | 'giveUpOutput' | 'signal'>;
  /** Lines for a person. */
  readonly say: (line: string) => void;
  /** Of this package. */
  readonly version: string;
  /** A port of 127.0.0.1; undefined: standard input and output. */
  readonly http: number | undefined;
  /** Path of a file that holds what is shown over HTTP, in place of Locker's. */
  readonly bearerFile: string | undefined;
}

export interface ServeDataOptions extends ServeOptions {
  /** None: all. */
  readonly envs: readonly string[];
  readonly write: boolean;
  /** Path of a token of Locker. */
  readonly token: string | undefined;
}

export interface ServeControlOptions extends ServeOptions {
  readonly allowChanges: boolean;
}

/** Resolves when it has ended. @throws Nexus3Error CONFIG_…, ENVIRONMENT_UNKNOWN, USAGE, TOKEN_…, PORT_TAKEN; over HTTP LOCKER_… */
export async function serveData(options: ServeDataOptions): Promise<void> {
  const { envs, write, token, overrides, surroundings } = options;
  const where = { token, config: overrides.config, surroundings };
  const [{ DataContext }, { dataTools }, { dataInstructions }, { servedEnvironments, openEnvironment }] =
    await Promise.all([
      import('./mcp/data/context.js'),
      import('./mcp/data/tools.js'),
      import('./mcp/data/instructions.js'),
      import('./compose-mcp-served.js'),
    ]);
  const environments = await servedEnvironments(envs, where);
  await using context = new DataContext({ environments, open: (env) => openEnvironment(env, where) });
  const hasRootKey = tokenPath({ token }, surroundings) === undefined;
  await serve(options, hasRootKey, {
    name: 'nexus3',
    instructions: dataInstructions({ write }),
    tools: dataTools({ write }),
    context,
  });
}

/** Resolves when it has ended. @throws Nexus3Error CONFIG_…, PORT_TAKEN; over HTTP LOCKER_… */
export async function serveControl(options: ServeControlOptions): Promise<void> {
  const { allowChanges, version } = options;
  const [{ ControlContext }, { controlTools, controlInstructions }, { loadConfiguration }] = await Promise.all([
    import('./mcp/control/context.js'),
    import('./mcp/control/tools.js'),
    import('./config/load.js'),
  ]);
  // A mistake in it is said now, to whoever starts this, not to an agent later.
  await loadConfiguration(options.overrides, options.surroundings);
  const log = lineLog(options.say);
  await using context = new ControlContext({ compose: (progress) => composeWorld(options, progress), version, log });
  await serve(options, true, {
    name: 'nexus3-control',
    instructions: controlInstructions({ allowChanges }),
    tools: controlTools({ allowChanges }),
    context,
  });
}

interface Served<Context> {
  readonly name: string;
  readonly instructions: string;
  readonly tools: readonly Tool<Context>[];
  readonly context: Context;
}

async function serve<Context>(options: ServeOptions, hasRootKey: boolean, served: Served<Context>): Promise<void> {
  const { streams, say, version, http, surroundings, bearerFile } = options;
  const log = lineLog(say);
  const tools = gated(served.tools, new CallGate());
  const factory = toolServerFactory({ ...served, version, tools });
  if (http === undefined) {
    const { serveOverStdio } = await import('./mcp/stdio.js');
    await serveOverStdio({ factory, tools, context: served.context }, { ...streams, log });
    return;
  }
  const [{ serveOverHttp }, { Bearer }, { bearerSource }] = await Promise.all([
    import('./mcp/http/http-server.js'),
    import('./mcp/http/bearer.js'),
    import('./compose-mcp-bearer.js'),
  ]);
  const compose = (): Promise<World> => composeWorld(options, SILENT);
  const source = await bearerSource({ surroundings, bearerFile, hasRootKey, compose });
  const onFailure = (error: unknown): void => {
    log(`The token cannot be looked up: ${error instanceof Error ? error.message : String(error)}`);
  };
  const bearer = new Bearer({ source, onFailure });
  await bearer.open();
  const onListening = (url: string): void => say(`${served.name} answers at ${url}.`);
  await serveOverHttp(factory, { port: http, bearer, signal: streams.signal, log, onListening });
}

async function composeWorld({ overrides, surroundings }: ServeOptions, progress: Progress): Promise<World> {
  const { compose } = await import('./compose.js');
  return compose(overrides, progress, surroundings);
}
