import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { LongFilesFirst } from './test/support/long-files-first.js';

/**
 * Scenarios wait more than they compute: for links, which Redis looks after once a second, for servers that start, for
 * containers that end. So two cores carry more files than two. An engine has work of its own, and gets fewer.
 */
const PROCESS_FILES_AT_ONCE_MAX = 4;
/** Three now and then have an engine of 2020 refuse a start, in a hook that is not tried again. */
const DOCKER_FILES_AT_ONCE_MAX = 2;
const UNIT_TIMEOUT_MS = 15_000;
const UNIT_HOOK_TIMEOUT_MS = 60_000;
/** For what hangs. On a busy machine a test may take several times as long as alone. */
const SCENARIO_TIMEOUT_MS = 120_000;
/** A hook may bring up a whole registry, and have it live through all that can happen to a password. */
const SCENARIO_HOOK_TIMEOUT_MS = 240_000;

/** Of the whole run: stopping a Docker engine and its containers takes a while. */
const TEARDOWN_TIMEOUT_MS = 90_000;

/** CommonJS modules as Node hands them out, which is how the product is run. */
const deps = { interopDefault: false };

const scenario = { deps, testTimeout: SCENARIO_TIMEOUT_MS, hookTimeout: SCENARIO_HOOK_TIMEOUT_MS };

export default defineConfig({
  test: {
    // Tests of one file run one after the other; files run side by side.
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'test/unit/**/*.test.ts'],
          exclude: ['src/runtime/docker/**'],
          setupFiles: ['test/support/property-seed.ts'],
          testTimeout: UNIT_TIMEOUT_MS,
          hookTimeout: UNIT_HOOK_TIMEOUT_MS,
          // A process of its own for each file would take a third of all their time. Whoever changes what is global puts it back.
          isolate: false,
          maxWorkers: availableParallelism() + 1,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'scenario-process',
          include: ['test/process/**/*.test.ts'],
          globalSetup: ['test/support/engine.ts'],
          ...scenario,
          maxWorkers: PROCESS_FILES_AT_ONCE_MAX,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'scenario-docker',
          include: ['test/docker/**/*.test.ts', 'src/runtime/docker/**/*.test.ts'],
          globalSetup: ['test/support/docker-global-setup.ts'],
          ...scenario,
          // An engine of 2020 on a busy machine now and then refuses what it takes a moment later (its firewall chains are
          // rebuilt while containers start). A story that goes wrong twice is wrong; each first time is in the log.
          retry: 1,
          maxWorkers: DOCKER_FILES_AT_ONCE_MAX,
          sequence: { groupOrder: 2 },
        },
      },
    ],
    sequence: { sequencer: LongFilesFirst },
    retry: 0,
    teardownTimeout: TEARDOWN_TIMEOUT_MS,
    passWithNoTests: false,
  },
});
