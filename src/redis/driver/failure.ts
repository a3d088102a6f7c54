/** What errors of node-redis say of the connection. */
import {
  ClientClosedError,
  ClientOfflineError,
  ConnectionTimeoutError,
  DisconnectsClientError,
  ReconnectStrategyError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
} from '@redis/client';
import type { ConnectionFailure } from '../../client/driver.js';
import { Severed } from './severable.js';

/** What node-redis says of a command too many; it has no class of its own. */
export const QUEUE_IS_FULL = 'The queue is full';

const LOST = [
  ConnectionTimeoutError,
  DisconnectsClientError,
  ReconnectStrategyError,
  SocketClosedUnexpectedlyError,
  SocketTimeoutError,
];

export function connectionFailure(error: unknown): ConnectionFailure {
  if (!(error instanceof Error)) return undefined;
  if (error instanceof ClientOfflineError) return 'not-sent';
  if (error instanceof ClientClosedError) return 'closed';
  if (error.message === QUEUE_IS_FULL) return 'full';
  if (LOST.some((kind) => error instanceof kind) || error.cause instanceof Severed) return 'unknown';
  // Of the operating system: ECONNRESET, EPIPE, ETIMEDOUT, …
  return 'syscall' in error ? 'unknown' : undefined;
}
