/** Processes of this host by /proc, and mounts by mountinfo: what is left of an engine is ended one by one, by its id. */
import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { run } from './run.js';

const POLL_MS = 20;
const UNMOUNT_TIMEOUT_MS = 10_000;

/** Start time in clock ticks since boot; with the pid it names one process for good. Undefined when there is none. */
export function processStart(pid: number): string | undefined {
  const fields = statFields(pid);
  return fields === undefined || fields[0] === 'Z' ? undefined : fields[19];
}

export function isSameProcess(pid: number, start: string): boolean {
  return processStart(pid) === start;
}

/** Fields of /proc/PID/stat from the third (state) on; the second may hold anything. */
function statFields(pid: number): readonly string[] | undefined {
  try {
    const text = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** Children, their children and so on, lowest first. */
export function descendantsOf(pid: number): readonly number[] {
  const children = new Map<number, number[]>();
  for (const candidate of allPids()) {
    const parent = Number(statFields(candidate)?.[1]);
    children.set(parent, [...(children.get(parent) ?? []), candidate]);
  }
  const collect = (of: number): number[] => (children.get(of) ?? []).flatMap((child) => [...collect(child), child]);
  return collect(pid);
}

/** Processes whose command line mentions this text; never this one. */
export function mentioning(text: string): readonly number[] {
  return allPids().filter((pid) => {
    if (pid === process.pid) return false;
    try {
      return readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').includes(text);
    } catch {
      return false;
    }
  });
}

function allPids(): readonly number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

/** Sends the signal, waits, and after the bound makes it end. */
export async function endProcess(pid: number, signal: NodeJS.Signals, timeoutMs: number): Promise<void> {
  const start = processStart(pid);
  if (start === undefined) return;
  send(pid, signal);
  const until = Date.now() + timeoutMs;
  while (isSameProcess(pid, start)) {
    if (Date.now() > until) {
      send(pid, 'SIGKILL');
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}

/** Unmounts everything below a folder, deepest first. */
export async function unmountBelow(folder: string): Promise<void> {
  const table = await readFile('/proc/self/mountinfo', 'utf8');
  const points = table
    .split('\n')
    .map((line) => line.split(' ')[4] ?? '')
    .filter((point) => point.startsWith(`${folder}/`))
    .reverse();
  for (const point of points) await run('umount', ['-l', point], { timeoutMs: UNMOUNT_TIMEOUT_MS });
}
