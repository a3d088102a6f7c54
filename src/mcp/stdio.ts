/** MCP over standard input and output: stdout is the protocol alone. */
import type { Readable, Writable } from 'node:stream';
import type { McpServerFactory } from '@modelcontextprotocol/server';
import { serveStdio, StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import { END_WAIT_MAX_MS, MESSAGE_BYTES_MAX } from './limits.js';
import { PacedLines } from './paced-lines.js';
import { within } from './within.js';

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

/** Of what the transport holds: one whole message, and the beginning of the next. */
const BUFFER_BYTES_MAX = 2 * MESSAGE_BYTES_MAX + 64 * 1024;

/** Resolves when standard input has ended, nobody reads standard output any more, or at the signal. */
export async function serveOverStdio(
  factory: McpServerFactory,
  { stdin, stdout, giveUpOutput, signal, log }: StdioStreams,
): Promise<void> {
  // The SDK listens once for each answer that waits; how many can wait, PacedLines bounds.
  stdout.setMaxListeners(0);
  const lines = new PacedLines(stdout, (bytes) => {
    log(`A line of ${String(bytes)} bytes was passed over: a message has at most ${String(MESSAGE_BYTES_MAX)}.`);
  });
  const transport = new StdioServerTransport(lines, stdout, { maxBufferSize: BUFFER_BYTES_MAX });
  const handle = serveStdio(factory, { transport, onerror: (error) => log(error.message) });
  const served = transport.onclose;
  const ended = new Promise<void>((resolve) => {
    transport.onclose = () => {
      served?.();
      resolve();
    };
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
  stdin.on('error', () => lines.end());
  stdin.pipe(lines);
  await ended;
  stdin.unpipe(lines);
  stdin.pause();
  await within(END_WAIT_MAX_MS, handle.close());
  // What the client does not read must not keep the process.
  if (stdout.writableLength > 0) await within(END_WAIT_MAX_MS, flushed(stdout));
  if (stdout.writableLength > 0) giveUpOutput?.();
}

function flushed(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    stream.write('', () => resolve());
  });
}
