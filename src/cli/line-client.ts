/** A conversation with one server: at a prompt, or a line at a time from a pipe. History is in memory only. */
import { createInterface } from 'node:readline';
import type { ExitCode } from '../errors.js';
import { EXIT, Nexus3Error } from '../errors.js';
import type { InputStream, Io } from './io.js';
import type { Session } from './operations.js';
import type { Output } from './output.js';
import { splitLine } from './split-line.js';

const HISTORY_LINES_MAX = 500;
/** The longest line taken from a pipe, in characters. */
export const LINE_CHARS_MAX = 16 * 1024 * 1024;

export function isErrorReply(reply: string): boolean {
  return reply.startsWith('(error) ');
}

/** Ends with `exit`, `quit`, Ctrl-D or Ctrl-C. What goes wrong with one command is said, and the prompt comes back. */
export async function talkAtPrompt(session: Session, prompt: string, io: Io, output: Output): Promise<ExitCode> {
  const lines = createInterface({
    input: io.stdin,
    output: io.stdout,
    terminal: true,
    prompt,
    historySize: HISTORY_LINES_MAX,
  });
  io.signal.addEventListener('abort', () => lines.close(), { once: true });
  lines.on('SIGINT', () => lines.close());
  try {
    lines.prompt();
    for await (const line of lines) {
      const words = splitLine(line);
      if (words?.length === 1 && /^(exit|quit)$/i.test(words[0] ?? '')) break;
      output.lines(await answer(session, words));
      lines.prompt();
    }
  } finally {
    lines.close();
  }
  return EXIT.good;
}

async function answer(session: Session, words: readonly string[] | undefined): Promise<readonly string[]> {
  if (words === undefined) return ['Invalid arguments: the quotes do not match.'];
  if (words.length === 0) return [];
  try {
    return [await session.send(words)];
  } catch (error) {
    // Only a command that does not belong here leaves the connection as it was.
    if (error instanceof Nexus3Error && error.code === 'USAGE') return [`${error.message} ${error.hint}`];
    throw error;
  }
}

/** Exit code 1 when any command was answered with an error; the others are carried out all the same. */
export async function talkThroughPipe(session: Session, io: Io, output: Output): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.good;
  for await (const line of boundedLines(io.stdin)) {
    const words = splitLine(line);
    if (words?.length === 0) continue;
    const replies = await answer(session, words);
    if (words === undefined || replies.some(isErrorReply)) exitCode = EXIT.problem;
    output.lines(replies);
    if (output.readerGone) break;
  }
  return exitCode;
}

async function* boundedLines(stream: InputStream): AsyncGenerator<string> {
  stream.setEncoding('utf8');
  let rest = '';
  for await (const chunk of stream) {
    const lines = (rest + String(chunk)).split(/\r?\n/);
    rest = lines.pop() ?? '';
    if (rest.length > LINE_CHARS_MAX) {
      throw new Nexus3Error('USAGE', 'A line of the input is too long.', {
        evidence: [`more than ${String(LINE_CHARS_MAX)} characters`],
        hint: 'Send a smaller value, or use redis-cli --pipe for bulk loading.',
      });
    }
    yield* lines;
  }
  if (rest !== '') yield rest;
}
