#!/usr/bin/env node
/**
 * `npm test`: sets up what the tests need, runs them all, and leaves nothing running. Plain Node, because on a clean
 * clone nothing is installed yet.
 *
 *   npm test                     everything: build, `npm run check`, unit tests, scenarios on both runtimes
 *   npm test -- test/process     only the files whose path holds that text, without `npm run check`
 *   npm run soak                 the long form (NEXUS3_SOAK=1) with a new seed; NEXUS3_SEED=N repeats one
 */
import { spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './support/install.mjs';
import { closeScratch, openScratch } from './support/scratch.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
/** All of it together; a run that hangs must end by itself, and say so. */
const RUN_TIMEOUT_MS = 45 * 60_000;
const SOAK_TIMEOUT_MS = 4 * 3_600_000;
/** After a signal, how long vitest may take to tear its servers down. */
const TEARDOWN_TIMEOUT_MS = 90_000;
const SEED_DEFAULT = '20260108';
const PERSONAL_VARIABLES = new Set(['NEXUS3_CONFIG', 'NEXUS3_ROOT_KEY_FILE', 'DOCKER_HOST', 'DOCKER_CONTEXT']);

const soak = process.argv.includes('--soak');
const passedOn = process.argv.slice(2).filter((argument) => argument !== '--soak');
const deadlineMs = Date.now() + (soak ? SOAK_TIMEOUT_MS : RUN_TIMEOUT_MS);

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    running?.kill('SIGTERM');
  });
}

process.exitCode = await main();

async function main() {
  const failures = [];
  ensureInstalled(ROOT);
  if (!(await step('build', 'npm', ['run', '--silent', 'build']))) return end({ passed: 0, failed: 1, skipped: 0 });
  if (passedOn.length === 0 && !(await step('check', 'npm', ['run', '--silent', 'check']))) {
    failures.push('npm run check');
  }
  await prepareEngine();
  const scratch = await openScratch();
  let tally;
  try {
    tally = await runTests(scratch);
  } finally {
    const left = await closeScratch(scratch);
    if (left.length > 0) failures.push(`left running (now ended): ${left.join(', ')}`);
  }
  return end(tally, failures);
}

/** The tests fetch an engine too where there is none; doing it here says so, and once. */
async function prepareEngine() {
  const main = join(ROOT, 'dist', 'cli', 'main.js');
  if (interrupted || !existsSync(main)) return;
  if (await step('engine', process.execPath, [main, 'engine', 'fetch'])) return;
  console.log('# no engine could be fetched: what needs one will fail and say why');
}

async function runTests(scratch) {
  const resultFile = join(scratch, 'results.json');
  const seed = process.env.NEXUS3_SEED ?? (soak ? String(randomInt(1, 2 ** 31)) : SEED_DEFAULT);
  console.log(`# NEXUS3_SEED=${seed}${soak ? ' NEXUS3_SOAK=1' : ''}`);
  const vitest = join(ROOT, 'scripts', 'support', 'run-vitest.mjs');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${resultFile}`];
  const ok = await step('tests', process.execPath, [vitest, ...reporters, ...passedOn], {
    env: testEnvironment(scratch, seed),
  });
  const results = existsSync(resultFile) ? JSON.parse(readFileSync(resultFile, 'utf8')) : undefined;
  const tally = {
    passed: results?.numPassedTests ?? 0,
    failed: results?.numFailedTests ?? 0,
    skipped: (results?.numPendingTests ?? 0) + (results?.numTodoTests ?? 0),
  };
  // A file that cannot be loaded, a hook or a global setup that fails: no test says so, vitest does.
  return !ok && tally.failed === 0 ? { ...tally, failed: 1 } : tally;
}

/** Nothing of the person who runs the tests is read or written, except the fetched engine, which is worth keeping. */
function testEnvironment(scratch, seed) {
  const rest = Object.entries(process.env).filter(([name]) => !PERSONAL_VARIABLES.has(name));
  const dataHome = process.env.XDG_DATA_HOME ?? join(homedir(), '.local', 'share');
  const xdg = join(scratch, 'xdg');
  mkdirSync(xdg);
  return {
    ...Object.fromEntries(rest),
    ...(soak ? { NEXUS3_SOAK: '1' } : {}),
    NEXUS3_SEED: seed,
    NEXUS3_ENGINE_HOME: process.env.NEXUS3_ENGINE_HOME ?? join(dataHome, 'nexus3-engine'),
    TMPDIR: scratch,
    XDG_CONFIG_HOME: join(xdg, 'config'),
    XDG_DATA_HOME: join(xdg, 'data'),
    XDG_STATE_HOME: join(xdg, 'state'),
  };
}

/** Runs one command to its end, and says how long it took. */
function step(title, command, args, options = {}) {
  if (interrupted) return Promise.resolve(false);
  console.log(`# ${title}`);
  const beganMs = Date.now();
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'], ...options });
    running = child;
    const timers = [
      setTimeout(() => {
        console.log(`# ${title}: out of time, ending it`);
        child.kill('SIGTERM');
      }, deadlineMs - Date.now()),
      setTimeout(() => child.kill('SIGKILL'), deadlineMs - Date.now() + TEARDOWN_TIMEOUT_MS),
    ];
    const ended = (ok, how) => {
      timers.forEach(clearTimeout);
      running = undefined;
      console.log(`# ${title}: ${how} after ${((Date.now() - beganMs) / 1000).toFixed(1)} s`);
      resolve(ok);
    };
    child.once('error', (error) => ended(false, error.message));
    child.once('exit', (code, signal) => ended(code === 0, code === 0 ? 'ok' : `failed (${code ?? signal})`));
  });
}

/** The last line is for people and for scripts. Exit code 0 only when tests ran and nothing failed. */
function end({ passed, failed, skipped }, failures = []) {
  for (const failure of failures) console.log(`# failed: ${failure}`);
  const failedInAll = failed + failures.length;
  if (passed + failedInAll + skipped === 0) console.log('# no test ran');
  console.log(`${passed} passed, ${failedInAll} failed, ${skipped} skipped`);
  if (interrupted) return 130;
  return failedInAll === 0 && passed > 0 ? 0 : 1;
}
