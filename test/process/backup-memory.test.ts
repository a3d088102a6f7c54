/** A snapshot flows through nexus3: how much memory that takes does not depend on how large it is. (1 GB: npm run bench) */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { fillVault, newest } from '../support/backup-scenarios.js';
import { Nexus } from '../support/nexus.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const POLL_MS = 10;
const MIB_IN_KIB = 1_024;
const KEY_BYTES = 10_000;
/** Of a process of Node.js that does the same with a tenth of the bytes; what is left is chance. */
const MORE_MIB_MAX = 40;
const PEAK_MIB_MAX = 150;

let nexus: Nexus;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { small: 'secure', big: 'secure' } });
  await nexus.report(0, 'up');
  await fillVault(nexus, 'small', 1_000, KEY_BYTES);
  await fillVault(nexus, 'big', 10_000, KEY_BYTES);
});

afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

/** The most that the command has held at once, in MiB (proc(5), VmHWM). */
async function peakOf(...args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [MAIN, '--config', nexus.configFile, ...args], {
    cwd: nexus.root,
    env: { ...nexus.env },
    stdio: 'ignore',
  });
  let peak = 0;
  const timer = setInterval(() => {
    peak = Math.max(peak, highWaterMark(child.pid ?? 0));
  }, POLL_MS);
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  clearInterval(timer);
  expect(code, args.join(' ')).toBe(0);
  return peak;
}

function highWaterMark(pid: number): number {
  try {
    const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / MIB_IN_KIB;
  } catch {
    return 0;
  }
}

it.each([['create'], ['verify']])('backup %s', async (verb) => {
  const small = await peakOf('backup', verb, 'small');
  const big = await peakOf('backup', verb, 'big');
  console.info(`backup ${verb}: ${small.toFixed(0)} MiB for 10 MB, ${big.toFixed(0)} MiB for 100 MB`);
  expect((await newest(nexus, 'big')).snapshot.rdbBytes).toBeGreaterThan(100_000_000);
  expect(small).toBeGreaterThan(20);
  expect(big - small).toBeLessThan(MORE_MIB_MAX);
  expect(big).toBeLessThan(PEAK_MIB_MAX);
});
