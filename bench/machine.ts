/** Where the figures come from: what would make them other figures on another machine. */
import { execFileSync } from 'node:child_process';
import { availableParallelism, cpus, loadavg, release, totalmem } from 'node:os';

const COMMAND_TIMEOUT_MS = 10_000;
const GIGABYTE = 1e9;

/** The docker command of the engine’s own package comes before one that was put beside it. */
export const PROGRAM_PATH = `/usr/bin:${process.env['PATH'] ?? ''}`;

export interface Machine {
  readonly cpus: number;
  readonly cpuModel: string;
  readonly memoryGb: number;
  readonly kernel: string;
  readonly node: string;
  /** One-minute load when the benches began: above `cpus`, others were using the machine. */
  readonly load: number;
  readonly dockerCli: string | undefined;
  readonly redisCli: string | undefined;
}

export function describeMachine(): Machine {
  return {
    cpus: availableParallelism(),
    cpuModel: cpus()[0]?.model.trim() ?? '',
    memoryGb: Math.round(totalmem() / GIGABYTE),
    kernel: release(),
    node: process.version,
    load: Math.round((loadavg()[0] ?? 0) * 10) / 10,
    dockerCli: versionOf('docker'),
    redisCli: versionOf('redis-cli'),
  };
}

function versionOf(program: string): string | undefined {
  try {
    return execFileSync(program, ['--version'], {
      encoding: 'utf8',
      timeout: COMMAND_TIMEOUT_MS,
      env: { ...process.env, PATH: PROGRAM_PATH },
    }).trim();
  } catch {
    return undefined;
  }
}
