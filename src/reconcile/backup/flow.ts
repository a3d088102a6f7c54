/** Bytes as they flow, told to a person now and then: how many, and how fast. */
import type { OnBytes } from '../../backup/backups.js';
import type { Progress } from '../../progress.js';
import type { Clock } from '../world.js';

/** A person wants to see that it goes on, not every chunk. */
const TELL_INTERVAL_MS = 500;
const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;
const UNIT_STEP = 1_024;

export interface Flow {
  /** Of each part. */
  readonly onBytes: OnBytes;
  /** `120 MiB, 85.1 MiB/s`, so far. */
  told(): string;
}

/** @param what `snapshot of track` */
export function flowOf(progress: Progress, clock: Clock, what: string): Flow {
  const startedAt = clock.now().getTime();
  let toldAt = startedAt;
  let bytes = 0;
  const told = (): string => {
    const seconds = Math.max(0.001, (clock.now().getTime() - startedAt) / 1_000);
    return `${amount(bytes)}, ${amount(bytes / seconds)}/s`;
  };
  progress.step(what);
  return {
    onBytes(more) {
      bytes += more;
      const now = clock.now().getTime();
      if (now - toldAt < TELL_INTERVAL_MS) return;
      toldAt = now;
      progress.step(`${what}: ${told()}`);
    },
    told,
  };
}

/** As reports have it: `41 B`, `4.6 MiB`, `120 MiB` */
export function amount(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= UNIT_STEP && unit < UNITS.length - 1) {
    value /= UNIT_STEP;
    unit += 1;
  }
  return `${value.toFixed(unit === 0 || value >= 100 ? 0 : 1)} ${UNITS[unit] ?? ''}`;
}
