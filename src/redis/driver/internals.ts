/** What stands behind the typed surface of node-redis (@redis/client 5.12), as far as it is put to use here. */
import type { RedisClient } from '../../client/environment-client.js';

export type Words = readonly string[];

interface Openable {
  readonly isOpen: boolean;
  connect: (this: Openable) => Promise<unknown>;
  destroy(): void;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
}

export interface Internals extends Openable {
  readonly _self: Internals;
  readonly isReady: boolean;
  readonly options: { readonly commandsQueueMaxLength?: number };
  _commandOptions?: unknown;
  _getQueue(): { readonly pendingCount: number };
  sendCommand: (this: Internals, args: Words, options?: unknown) => Promise<unknown>;
  _executeMulti: (this: Internals, commands: readonly Queued[], selectedDb?: number) => Promise<unknown>;
  _executePipeline: (this: Internals, commands: readonly Queued[], selectedDb?: number) => Promise<unknown>;
  duplicate: (this: Internals, overrides?: unknown) => Internals;
  createPool: (this: Internals, options?: unknown) => PoolInternals;
  once(event: string, listener: (...args: unknown[]) => void): unknown;
}

export interface PoolInternals extends Openable {
  readonly _self: PoolInternals;
  execute: (this: PoolInternals, task: (client: Internals) => unknown) => Promise<unknown>;
}

export interface Queued {
  readonly args: Words;
}

export function internalsOf(client: RedisClient): Internals {
  return (client as unknown as Internals)._self;
}
