/** How much memory the nexus3 process holds at most while it makes a backup: what the kernel says of it (VmHWM). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import type { Measure } from '../comparison.js';
import { measured } from '../comparison.js';
import { MAIN } from '../estate.js';
import type { Ground } from './ground.js';
import { ENV } from './ground.js';
import { empty } from './snapshot.js';

const ROUNDS = 1;
const BOUND_MB = 150;
const POLL_MS = 10;
const KB_A_MB = 1_024;

export async function memory(ground: Ground, size: string): Promise<readonly Measure[]> {
  const plain = await peaks(ground);
  const { configFile } = ground.estate;
  const before = await readFile(configFile, 'utf8');
  await writeFile(configFile, before.replace(/^backup: \{/m, 'backup: { encrypt: true,'));
  const encrypted = await peaks(ground);
  await writeFile(configFile, before);
  const common = { unit: 'MB', max: BOUND_MB };
  return [
    measured({ ...common, name: `backup-${size}-memory`, what: `\`backup create\`, ${size}, verified`, values: plain }),
    measured({
      ...common,
      name: `backup-${size}-memory-encrypted`,
      what: `the same, encrypted for the derived identity`,
      values: encrypted,
    }),
  ];
}

async function peaks(ground: Ground): Promise<readonly number[]> {
  const found: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    found.push(await peakOf(ground, ['backup', 'create', ENV, '--quiet']));
    await empty(ground);
  }
  return found;
}

/** In megabytes. */
async function peakOf(ground: Ground, args: readonly string[]): Promise<number> {
  const { configFile, env } = ground.estate;
  const child = spawn(process.execPath, [MAIN, '--config', configFile, ...args], { env, stdio: 'ignore' });
  let peakKb = 0;
  const timer = setInterval(() => (peakKb = Math.max(peakKb, highWater(child.pid ?? 0))), POLL_MS);
  const [code] = (await once(child, 'exit')) as [number | null];
  clearInterval(timer);
  if (code !== 0) throw new Error(`nexus3 ${args.join(' ')}: exit code ${String(code)}`);
  return peakKb / KB_A_MB;
}

/** In kilobytes; 0 once it has ended. */
function highWater(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${String(pid)}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}
