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
  if (LOST.some((kind) => error instanceof kind) || error.cause instanceof Severed) return 'unknown';
  // Of the operating system: ECONNRESET, EPIPE, ETIMEDOUT, …
  return 'syscall' in error ? 'unknown' : undefined;
}
