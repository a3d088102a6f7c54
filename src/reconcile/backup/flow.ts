/** Bytes as they flow, told to a person now and then: how many, and how fast. */
import type { OnBytes } from '../../backup/backups.js';
import type { Progress } from '../../progress.js';
import type { Clock } from '../world.js';

/** A person wants to see that it goes on, not every chunk. */
const TELL_INTERVAL_MS = 500;
const MEGABYTE = 1_000_000;

export interface Flow {
  /** Of each part. */
  readonly onBytes: OnBytes;
  /** `120 MB, 85 MB/s`, so far. */
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

/** `0.4 MB`, `120 MB` */
export function amount(bytes: number): string {
  const megabytes = bytes / MEGABYTE;
  return `${megabytes.toFixed(megabytes < 10 ? 1 : 0)} MB`;
}
