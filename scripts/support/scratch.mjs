/**
 * One folder for everything that a test run makes, and the proof that nothing of it is left running. Processes are
 * known by that folder: as their working folder, on their command line or in their environment. Each is ended by its id.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Short, because sockets below it may have at most 107 bytes. */
const PREFIX = 'n3t-';
const PARENT = '/tmp';
const END_TIMEOUT_MS = 10_000;
const POLL_MS = 50;
const UNMOUNT_TIMEOUT_MS = 10_000;

/** Makes the folder, after clearing away those whose owner was killed before it could. */
export async function openScratch() {
  for (const name of readdirSync(PARENT)) {
    if (name.startsWith(PREFIX)) await clearOrphan(join(PARENT, name));
  }
  const folder = mkdtempSync(join(PARENT, PREFIX));
  writeFileSync(join(folder, 'owner'), `${process.pid} ${startOf(process.pid)}`);
  return folder;
}

/**
 * Ends what is still running, takes the folder away, and says what it had to end.
 *
 * @param {string} folder
 * @returns {Promise<readonly string[]>} one line a process
 */
export async function closeScratch(folder) {
  const left = processesOf(folder);
  const lines = left.map(({ pid, name }) => `${name} (process ${pid})`);
  for (const { pid } of left) await endProcess(pid);
  unmountBelow(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  return lines;
}

/** @param {string} folder */
async function clearOrphan(folder) {
  const [pid, start] = read(join(folder, 'owner')).split(' ');
  // Without a note of its owner it may be somebody else's, or just being made.
  if (pid === undefined || start === undefined || startOf(Number(pid)) === start) return;
  await closeScratch(folder);
}

/** Processes that work in the folder or were told of it, and below them everything else, lowest first. */
function processesOf(folder) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => pid !== process.pid && startOf(pid) !== undefined);
  const own = all.filter((pid) => belongsTo(folder, pid));
  const children = groupByParent(all);
  const found = new Set();
  const collect = (pid) => {
    if (found.has(pid) || pid === process.pid) return;
    for (const child of children.get(pid) ?? []) collect(child);
    found.add(pid);
  };
  own.forEach(collect);
  return [...found].map((pid) => ({ pid, name: read(`/proc/${pid}/comm`).trim() }));
}

function groupByParent(pids) {
  const groups = new Map();
  for (const pid of pids) groups.set(parentOf(pid), [...(groups.get(parentOf(pid)) ?? []), pid]);
  return groups;
}

async function endProcess(pid) {
  const start = startOf(pid);
  const until = Date.now() + END_TIMEOUT_MS;
  send(pid, 'SIGTERM');
  while (start !== undefined && startOf(pid) === start) {
    if (Date.now() > until) send(pid, 'SIGKILL');
    if (Date.now() > until + END_TIMEOUT_MS) throw new Error(`process ${pid} cannot be ended`);
    await sleep(POLL_MS);
  }
}

function send(pid, signal) {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself in the meantime.
  }
}

function unmountBelow(folder) {
  const points = read('/proc/self/mountinfo')
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${folder}/`));
  for (const point of points.reverse()) {
    spawnSync('umount', ['-l', point], { timeout: UNMOUNT_TIMEOUT_MS, stdio: 'inherit' });
  }
}

/** Start time in clock ticks; with the pid it names one process for good. Undefined when there is none, or a zombie. */
function startOf(pid) {
  const fields = statFields(pid);
  return fields.length === 0 || fields[0] === 'Z' ? undefined : fields[19];
}

function parentOf(pid) {
  return Number(statFields(pid)[1]);
}

/** From the third field (state) on: the second, the name, may hold anything. */
function statFields(pid) {
  const text = read(`/proc/${pid}/stat`);
  return text === '' ? [] : text.slice(text.lastIndexOf(')') + 2).split(' ');
}

function belongsTo(folder, pid) {
  const told = [`/proc/${pid}/cmdline`, `/proc/${pid}/environ`].some((path) => read(path).includes(folder));
  return told || workingFolder(pid).startsWith(folder);
}

function workingFolder(pid) {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return '';
  }
}

function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
