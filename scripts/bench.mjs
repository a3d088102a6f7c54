#!/usr/bin/env node
/**
 * `npm run bench`: sets up what the benches need, runs them, and leaves nothing running. Plain Node, because on a clean
 * clone nothing is installed yet.
 *
 *   npm run bench                       all of them (about ten minutes)
 *   npm run bench -- check-docker-12    only those named
 *
 * What is measured and how to read it: docs/performance.md.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ensureInstalled } from './support/install.mjs';
import { closeScratch, openScratch } from './support/scratch.mjs';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const BUILT = join(ROOT, '.cache', 'bench');
const SET_UP_TIMEOUT_MS = 600_000;
const RUN_TIMEOUT_MS = 45 * 60_000;

/** @type {import('node:child_process').ChildProcess | undefined} */
let running;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    running?.kill('SIGTERM');
  });
}

ensureInstalled(ROOT);
setUp('build', 'npm', ['run', '--silent', 'build']);
buildBenches();
setUp('engine', process.execPath, [join(ROOT, 'dist', 'cli', 'main.js'), 'engine', 'fetch', '--quiet']);
ensureRedisCli();
process.exitCode = await main();

async function main() {
  const scratch = await openScratch();
  try {
    const code = await run(scratch);
    return interrupted ? 130 : code;
  } finally {
    for (const left of await closeScratch(scratch)) console.log(`# left running (now ended): ${left}`);
  }
}

/** Rivals and all, in JavaScript below .cache; the stand-in images stay where the tests keep them. */
function buildBenches() {
  rmSync(BUILT, { recursive: true, force: true });
  setUp('benches', process.execPath, [
    join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'),
    '-p',
    join(ROOT, 'bench', 'tsconfig.json'),
  ]);
  const cache = join(BUILT, '.cache');
  mkdirSync(dirname(cache), { recursive: true });
  symlinkSync(join(ROOT, '.cache'), cache);
}

/** The rival's tool. */
function ensureRedisCli() {
  if (onPath('redis-cli')) return;
  const debian = existsSync('/etc/debian_version') && process.getuid?.() === 0;
  if (!debian) throw new Error('redis-cli is not installed, and this is not root on Debian: install redis-tools');
  setUp('redis-tools', 'apt-get', ['-q', 'update']);
  setUp('redis-tools', 'apt-get', ['-q', 'install', '-y', '--no-install-recommends', 'redis-tools']);
}

function onPath(program) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => existsSync(join(folder, program)));
}

function setUp(title, command, args) {
  if (interrupted) process.exit(130);
  console.log(`# ${title}`);
  const { status, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: SET_UP_TIMEOUT_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status !== 0) throw new Error(`${title} failed${error === undefined ? '' : `: ${error.message}`}`);
}

function run(scratch) {
  return new Promise((resolve, reject) => {
    running = spawn(process.execPath, [join(BUILT, 'bench', 'main.js'), ...process.argv.slice(2)], {
      cwd: ROOT,
      stdio: ['ignore', 'inherit', 'inherit'],
      env: { ...process.env, TMPDIR: scratch },
      timeout: RUN_TIMEOUT_MS,
    });
    running.once('error', reject);
    running.once('exit', (code) => resolve(code ?? 1));
  });
}
