/** The command line in this process, with streams of its own. */
import { PassThrough, Writable } from 'node:stream';
import type { Io } from '../../src/cli/io.js';
import type { Operations } from '../../src/cli/operations.js';
import { run } from '../../src/cli/run.js';
import { loadConfiguration } from '../../src/config/load.js';
import type { World } from '../../src/reconcile/world.js';

/** A stream that remembers; `columns` makes it a terminal of that width. */
export class MemoryStream extends Writable {
  readonly isTTY: boolean;
  readonly columns: number;
  text = '';

  constructor(columns?: number) {
    super({ decodeStrings: false });
    this.isTTY = columns !== undefined;
    this.columns = columns ?? 0;
  }

  override _write(chunk: unknown, _encoding: BufferEncoding, done: () => void): void {
    this.text += String(chunk);
    done();
  }
}

export interface CliOptions {
  readonly cwd?: string;
  readonly env?: Record<string, string>;
  readonly columns?: number;
  readonly stdin?: string;
  readonly signal?: AbortSignal;
  readonly operations?: Partial<Operations>;
}

export interface CliResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Without `operations`, the real ones. With some, every other one is refused. */
export async function runCli(argv: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  const stdout = new MemoryStream(options.columns);
  const stderr = new MemoryStream(options.columns);
  const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
  stdin.isTTY = options.columns !== undefined;
  stdin.end(options.stdin ?? '');
  const io: Io = {
    cwd: options.cwd ?? '/',
    env: { HOME: '/nowhere', ...options.env },
    stdin,
    stdout,
    stderr,
    signal: options.signal ?? new AbortController().signal,
  };
  const exitCode =
    options.operations === undefined ? await run(argv, io) : await run(argv, io, allOf(options.operations));
  return { exitCode, stdout: stdout.text, stderr: stderr.text };
}

function allOf(some: Partial<Operations>): Operations {
  return new Proxy(some, {
    get(target, name) {
      const operation: unknown = Reflect.get(target, name);
      if (operation !== undefined) return operation;
      return () => Promise.reject(new Error(`this test did not expect ${String(name)}`));
    },
  }) as Operations;
}

/** A world with the built-in configuration, whose closing is counted; whatever else is asked of it is a mistake. */
export function worlds(cwd: string, parts: Partial<World> = {}): Pick<Operations, 'compose'> & { closed: number } {
  const made = {
    closed: 0,
    async compose(overrides: Parameters<Operations['compose']>[0]): Promise<World> {
      const world = {
        configuration: await loadConfiguration(overrides, { cwd, env: { HOME: cwd } }),
        ...parts,
        async [Symbol.asyncDispose]() {
          made.closed += 1;
        },
      };
      return world as unknown as World;
    },
  };
  return made;
}

export function parsed(text: string): Record<string, unknown> {
  return JSON.parse(text) as Record<string, unknown>;
}
