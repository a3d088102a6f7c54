/** MCP over standard input and output: stdout is the protocol alone. */
import type { Readable, Writable } from 'node:stream';
import type { McpServerFactory } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { DirectCalls } from './direct-calls.js';
import { END_WAIT_MAX_MS, MESSAGE_BYTES_MAX } from './limits.js';
import { StdioTransport } from './stdio-transport.js';
import type { Tool } from './tool.js';
import { within } from './within.js';

export interface StdioServed<Context> {
  readonly factory: McpServerFactory;
  /** Those of the factory's servers, to be called directly where nothing but an answer is asked for. */
  readonly tools: readonly Tool<Context>[];
  readonly context: Context;
}

export interface StdioStreams {
  readonly stdin: Readable;
  readonly stdout: Writable;
  /** Called at the end where the client does not read what is left. */
  readonly giveUpOutput?: (() => void) | undefined;
  /** Ends it. */
  readonly signal: AbortSignal;
  /** Lines for a person; never on stdout. */
  readonly log: (line: string) => void;
}

/** Resolves when standard input has ended, nobody reads standard output any more, or at the signal. */
export async function serveOverStdio<Context>(
  { factory, tools, context }: StdioServed<Context>,
  { stdin, stdout, giveUpOutput, signal, log }: StdioStreams,
): Promise<void> {
  const transport = new StdioTransport({
    stdin,
    stdout,
    onTooLong: (bytes) => {
      log(`A line of ${String(bytes)} bytes was passed over: a message has at most ${String(MESSAGE_BYTES_MAX)}.`);
    },
    divert: (value) => calls.take(value),
  });
  const calls = new DirectCalls({ tools, context, write: (json) => transport.writeLine(json) });
  const onerror = (error: Error): void => log(error.message);
  const handle = serveStdio(calls.watching(factory), { transport, onerror });
  const served = transport.onclose;
  const ended = new Promise<void>((resolve) => {
    transport.onclose = () => {
      calls.close();
      served?.();
      resolve();
    };
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await ended;
  await within(END_WAIT_MAX_MS, handle.close());
  await transport.close();
  // What the client does not read must not keep the process.
  if (stdout.writableLength > 0) await within(END_WAIT_MAX_MS, flushed(stdout));
  if (stdout.writableLength > 0) giveUpOutput?.();
}

function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
