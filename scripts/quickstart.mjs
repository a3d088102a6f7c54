#!/usr/bin/env node
/**
 * `npm run quickstart`: from a clean clone to all environments running and checked. Plain Node, because on a clean clone
 * nothing is installed yet. Run again it does only what is missing, and says so when nothing was.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MAIN = join(ROOT, 'dist', 'cli', 'main.js');
const NODE_MIN = [20, 19];
const STEP_TIMEOUT_MS = 15 * 60_000;

process.exitCode = await main();

async function main() {
  if (!isNewEnough(process.versions.node)) {
    console.error(`nexus3 needs Node.js ${NODE_MIN.join('.')} or newer; this is ${process.versions.node}.`);
    console.error('Install a newer one (nodejs.org, or nvm install 22) and run this again.');
    return 1;
  }
  if (process.platform !== 'linux') {
    console.error('nexus3 runs on Linux. On another system, use a Linux virtual machine or container.');
    return 1;
  }
  // Only now: it is written for a Node.js that is new enough.
  const { ensureInstalled } = await import('./support/install.mjs');
  try {
    const installed = ensureInstalled(ROOT);
    const built = ensureBuilt();
    const linked = ensureCommand();
    const fetched = ensureEngine();
    const changed = bringUp();
    show('status');
    show('check');
    sayWhatNext(installed || built || linked || fetched || changed);
    return 0;
  } catch (error) {
    if (!(error instanceof StepFailed)) console.error(error instanceof Error ? error.message : error);
    console.error('\nThe quickstart stopped here. It may be run again at any time: npm run quickstart');
    return error instanceof StepFailed ? error.exitCode : 1;
  }
}

/** Its own words were on the terminal already. */
class StepFailed extends Error {
  constructor(exitCode) {
    super('a step failed');
    this.exitCode = exitCode;
  }
}

function isNewEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
}

/** Builds unless each source file has its newer result; a build that was killed halfway is seen as none. */
function ensureBuilt() {
  const configured = Math.max(modifiedMs(join(ROOT, 'tsconfig.json')), modifiedMs(join(ROOT, 'tsconfig.build.json')));
  const isCurrent = sourcesIn(join(ROOT, 'src')).every((source) => {
    const result = join(ROOT, 'dist', relative(join(ROOT, 'src'), source).replace(/\.ts$/, '.js'));
    return existsSync(result) && modifiedMs(result) >= Math.max(modifiedMs(source), configured);
  });
  if (isCurrent) return false;
  console.log('# building');
  run('npm', ['run', '--silent', 'build']);
  return true;
}

function sourcesIn(folder) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return sourcesIn(path);
    return /(?<!\.test|\.conformance|\.d)\.ts$/.test(entry.name) ? [path] : [];
  });
}

function modifiedMs(path) {
  return statSync(path).mtimeMs;
}

/** `npx nexus3` in this folder: npm links the commands of dependencies only, not the package's own. */
function ensureCommand() {
  const link = join(ROOT, 'node_modules', '.bin', 'nexus3');
  const isExecutable = (statSync(MAIN).mode & 0o111) === 0o111;
  if (!isExecutable) chmodSync(MAIN, 0o755);
  if (existsSync(link)) return !isExecutable;
  mkdirSync(dirname(link), { recursive: true });
  if (lstatSync(link, { throwIfNoEntry: false }) !== undefined) rmSync(link);
  symlinkSync(relative(dirname(link), MAIN), link);
  return true;
}

/** Finds an engine for local servers, or fetches one without root; Docker brings its own. */
function ensureEngine() {
  if (usesDocker()) return false;
  const { status, signal } = nexus3(['engine', 'find', '--quiet'], 'ignore');
  if (signal !== null) throw new StepFailed(130);
  if (status === 0) return false;
  console.log('# fetching an engine (no root needed, nothing on the system changes)');
  run(process.execPath, [MAIN, 'engine', 'fetch']);
  return true;
}

function usesDocker() {
  const file = process.env.NEXUS3_CONFIG ?? join(ROOT, 'nexus3.yaml');
  return existsSync(file) && /^runtime:\s*["']?docker\b/m.test(readFileSync(file, 'utf8'));
}

/** True when there was something to do. */
function bringUp() {
  const planned = parse(nexus3(['up', '--dry-run', '--json'], 'pipe').stdout);
  console.log('# bringing the environments up');
  // What it did is on stderr as it happens; its long report is for when something is left.
  const { status, signal, stdout } = nexus3(['up'], 'pipe', 'inherit');
  if (signal !== null) throw new StepFailed(130);
  if (status !== 0) {
    console.log(stdout);
    throw new StepFailed(status ?? 1);
  }
  return planned?.ok !== true || planned.plan?.id !== null;
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function show(command) {
  console.log(`\n$ npx nexus3 ${command}`);
  run(process.execPath, [MAIN, command]);
}

function nexus3(args, stdout, stderr = 'ignore') {
  return spawnSync(process.execPath, [MAIN, ...args], {
    cwd: ROOT,
    stdio: ['ignore', stdout, stderr],
    encoding: 'utf8',
    timeout: STEP_TIMEOUT_MS,
    maxBuffer: 64 * 1024 * 1024,
  });
}

function run(command, args) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
    timeout: STEP_TIMEOUT_MS,
  });
  if (error !== undefined) throw new Error(`${command} could not be run: ${error.message}`);
  if (signal !== null) throw new StepFailed(130);
  if (status !== 0) throw new StepFailed(status ?? 1);
}

function sayWhatNext(changed) {
  console.log(`
${changed ? 'Everything is up and checked.' : 'Everything was up and well already; nothing was changed.'} From now on, in this folder:

  npx nexus3 status                     how everything is
  npx nexus3 check --fix                find what is wrong, and repair what may be repaired
  npx nexus3 create myproject           an environment of your own
  npx nexus3 credentials get track      the password that opens a vault, for a script
  npx nexus3 cli track                  talk to one
  npx nexus3 mcp new notes --env track  an MCP server of your own on one
  npx nexus3 down                       stop everything; the data stay

The servers end with the machine; after a reboot: npx nexus3 up`);
}
