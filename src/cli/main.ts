#!/usr/bin/env node
/** The process around one run: its streams, its signals, its end. */
import { run } from './run.js';

const interruption = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // The second time the person means it.
    if (interruption.signal.aborted) process.exit(130);
    interruption.abort();
  });
}

const outputGivenUp = new AbortController();
const exitCode = await run(process.argv.slice(2), {
  cwd: process.cwd(),
  env: process.env,
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interruption.signal,
  giveUpOutput: () => outputGivenUp.abort(),
});
if (outputGivenUp.signal.aborted) process.exit(exitCode);
// After the last byte: what an interrupted command has left running must not keep the process.
process.stdout.write('', () => process.exit(exitCode));
