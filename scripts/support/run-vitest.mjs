/**
 * `vitest run`, but an interrupted run still tears down what its global setups started (vitest's own command line exits
 * at once on SIGINT and SIGTERM, and would leave a Docker engine behind).
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createVitest, parseCLI } from 'vitest/node';

/** How long a running test may take to notice. */
const CANCEL_TIMEOUT_MS = 3_000;
const EXIT_INTERRUPTED = 130;

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
const vitest = await createVitest('test', options);

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.removeAllListeners(signal);
  process.on(signal, stop);
}

/** @type {Promise<void> | undefined} */
let stopping;
function stop() {
  stopping ??= (async () => {
    await Promise.race([vitest.cancelCurrentRun('keyboard-input'), sleep(CANCEL_TIMEOUT_MS)]);
    await vitest.close();
    process.exit(EXIT_INTERRUPTED);
  })();
}

try {
  await vitest.start(filter);
} catch (error) {
  process.exitCode = 1;
  if (stopping === undefined) vitest.logger.printError(error, { fullStack: true });
}
await (stopping ?? vitest.close());
// A handle that a test left open must not keep the run from ending.
process.exit();
