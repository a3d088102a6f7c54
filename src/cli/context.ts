/** What a command is handed: a handler imports no globals and opens nothing by itself. */
import type { Configuration } from '../config/configuration.js';
import type { Overrides } from '../config/load.js';
import type { World } from '../reconcile/world.js';
import type { Io } from './io.js';
import type { Operations } from './operations.js';
import type { Output } from './output.js';
import type { CliProgress } from './progress.js';
import type { Prompts } from './prompts.js';

export interface Context {
  readonly io: Io;
  readonly overrides: Overrides;
  readonly output: Output;
  readonly progress: CliProgress;
  readonly prompts: Prompts;
  readonly operations: Operations;
  /** The configuration alone, for commands that start and ask nothing. */
  configuration(): Promise<Configuration>;
  /** Everything composed; closed when the command has ended. */
  world(): Promise<World>;
}

type ContextParts = Omit<Context, 'configuration' | 'world'>;

/** How long closing connections may hold up the end of the program, in milliseconds. */
const CLOSE_TIMEOUT_MS = 2_000;

export class CommandContext implements Context, AsyncDisposable {
  readonly io: Io;
  readonly overrides: Overrides;
  readonly output: Output;
  readonly progress: CliProgress;
  readonly prompts: Prompts;
  readonly operations: Operations;
  #world: Promise<World> | undefined;

  constructor(parts: ContextParts) {
    this.io = parts.io;
    this.overrides = parts.overrides;
    this.output = parts.output;
    this.progress = parts.progress;
    this.prompts = parts.prompts;
    this.operations = parts.operations;
  }

  async configuration(): Promise<Configuration> {
    const { loadConfiguration } = await import('../config/load.js');
    return loadConfiguration(this.overrides, this.io);
  }

  async world(): Promise<World> {
    this.#world ??= this.operations.compose(this.overrides, this.progress, this.io);
    return this.#world;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.progress.clear();
    const opening = this.#world;
    if (opening === undefined) return;
    let timer: NodeJS.Timeout | undefined;
    const tooLong = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, CLOSE_TIMEOUT_MS);
    });
    // Where it never opened, whoever asked for it has been told.
    const world = await Promise.race([opening.catch(() => undefined), tooLong]);
    try {
      await Promise.race([world?.[Symbol.asyncDispose](), tooLong]);
    } catch (error) {
      // The command's own result stands; this must not take its place.
      this.output.say([`Connections did not close cleanly: ${error instanceof Error ? error.message : String(error)}`]);
    } finally {
      clearTimeout(timer);
    }
  }
}
