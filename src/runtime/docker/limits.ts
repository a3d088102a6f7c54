/** How long the engine may take to answer, in milliseconds. A socket that hangs gives one clear message within these. */
import { STOP_GRACE_MS } from '../runtime.js';

export interface RequestLimits {
  /** Connecting to the socket. */
  readonly connectMs: number;
  /** The first question to an engine: is it there, and what is it. */
  readonly helloMs: number;
  /** Reading: inspect, list, logs. */
  readonly readMs: number;
  /** Creating, connecting, removing. */
  readonly changeMs: number;
  /** Starting: unpacks layers and sets up the network; slow when many start at once. */
  readonly startMs: number;
  readonly stopMs: number;
  /** Downloading an image: without any progress, and at most. */
  readonly pullStallMs: number;
  readonly pullMs: number;
}

export const REQUEST_LIMITS: RequestLimits = {
  connectMs: 3_000,
  helloMs: 5_000,
  readMs: 15_000,
  changeMs: 30_000,
  startMs: 60_000,
  stopMs: STOP_GRACE_MS + 15_000,
  pullStallMs: 60_000,
  pullMs: 30 * 60_000,
};
