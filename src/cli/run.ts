/** One run of the command line, from the words typed to the exit code. Tests call it in their own process. */
import { EXIT, Nexus3Error } from '../errors.js';
import { CommandContext } from './context.js';
import { ERROR_SCHEMA, exitCodeOf, failureDocument, failureLines } from './failure.js';
import type { Io } from './io.js';
import { widthOf } from './io.js';
import type { Operations } from './operations.js';
import { OPERATIONS } from './operations.js';
import { Output } from './output.js';
import type { OutputOptions } from './output.js';
import type { RunRequest } from './program.js';
import { parseCommandLine } from './program.js';
import { makeProgress } from './progress.js';
import { makePrompts } from './prompts.js';
import { readVersion } from './version.js';

const HELP_WIDTH_MAX = 100;

export async function run(argv: readonly string[], io: Io, operations: Operations = OPERATIONS): Promise<number> {
  const output = new Output(io, io.env, readOutputOptions(argv));
  try {
    const request = await parseCommandLine(argv, {
      version: await readVersion(),
      helpWidth: Math.min(HELP_WIDTH_MAX, widthOf(io.stdout, io.env)),
    });
    if (request.kind === 'run') return await execute(request, io, output, operations);
    if (request.exitCode === EXIT.good) {
      output.text(request.text);
      return request.exitCode;
    }
    if (output.json) throw new Nexus3Error('USAGE', 'No command was given.', { hint: 'See nexus3 --help' });
    output.say([request.text.trimEnd()]);
    return request.exitCode;
  } catch (error) {
    if (output.json) output.result(ERROR_SCHEMA, failureDocument(error), () => []);
    else output.say(failureLines(error, output.errorPage, io.env['NEXUS3_DEBUG'] === '1'));
    return exitCodeOf(error);
  }
}

async function execute(
  { spec, args, overrides }: RunRequest,
  io: Io,
  output: Output,
  operations: Operations,
): Promise<number> {
  if (output.json && spec.schema === undefined) {
    throw new Nexus3Error('USAGE', `\`nexus3 ${spec.name}\` has no JSON to print.`, { hint: 'Leave --json out.' });
  }
  const progress = makeProgress(io.stderr, output.errorPage, output.json || output.quiet);
  output.onBeforeWrite(() => progress.clear());
  await using context = new CommandContext({
    io,
    overrides,
    output,
    progress,
    prompts: makePrompts(io, output),
    operations,
  });
  try {
    if (spec.servesUntilSignal === true) return await spec.run(args, context);
    return await untilInterrupted(io.signal, spec.run(args, context));
  } catch (error) {
    if (spec.endsByInterrupt === true && io.signal.aborted && !output.json) return EXIT.interrupted;
    throw error;
  }
}

/**
 * Every operation can be killed at any instant and run again, so an interruption does not wait for it: connections are
 * closed, and the program ends.
 */
async function untilInterrupted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let onAbort: (() => void) | undefined;
  const interrupted = new Promise<never>((_, reject) => {
    onAbort = () =>
      reject(
        new Nexus3Error('INTERRUPTED', 'Interrupted.', {
          hint: 'Run the same command again: it goes on from where this one stopped.',
        }),
      );
    if (signal.aborted) onAbort();
    else signal.addEventListener('abort', onAbort);
  });
  try {
    return await Promise.race([work, interrupted]);
  } finally {
    if (onAbort !== undefined) signal.removeEventListener('abort', onAbort);
  }
}

/** How to print must be known before the words are understood: they may be wrong. */
function readOutputOptions(argv: readonly string[]): OutputOptions {
  const end = argv.indexOf('--');
  const own = end === -1 ? argv : argv.slice(0, end);
  return { json: own.includes('--json'), quiet: own.includes('--quiet'), noColor: own.includes('--no-color') };
}
