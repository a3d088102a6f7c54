/** Commands on keys, with bytes as bytes, so many at once and for so long. */
import type { RedisClient } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import { COMMAND_TIMEOUT_MS } from './limits.js';
import type { OpenEnvironment } from './open-environment.js';

export type Reply = Buffer | number | null | readonly Reply[];
export type Send = (...args: readonly (string | Buffer)[]) => Promise<Reply>;

/** `RESP_TYPES.BLOB_STRING` and `SIMPLE_STRING` of node-redis. */
const AS_BYTES = { typeMapping: { 36: Buffer, 43: Buffer } } as const;

/** @throws Nexus3Error BUSY, QUERY_TIMED_OUT, and what the server answers */
export async function onKeys<Result>(
  opened: OpenEnvironment,
  side: 'operational' | 'vault',
  signal: AbortSignal,
  work: (send: Send) => Promise<Result>,
): Promise<Result> {
  const client = opened.client[side];
  return opened.keyTurns.run(async () => {
    const working = work((...args) => sendTo(client, args));
    const result = await within(signal, working);
    if (side === 'vault') await opened.wrote();
    return result;
  }, signal);
}

async function sendTo(client: RedisClient, args: readonly (string | Buffer)[]): Promise<Reply> {
  return client.sendCommand<Reply>([...args], AS_BYTES);
}

async function within<Result>(signal: AbortSignal, work: Promise<Result>): Promise<Result> {
  let stop: () => void = () => undefined;
  const late = new Promise<never>((_, reject) => {
    const timer = setTimeout(() => reject(timedOut()), COMMAND_TIMEOUT_MS);
    const onAbort = (): void => reject(timedOut());
    signal.addEventListener('abort', onAbort);
    stop = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    };
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    stop();
  }
}

function timedOut(): Nexus3Error {
  const message = `The server did not answer within ${String(COMMAND_TIMEOUT_MS)} ms, or the call was cancelled.`;
  return new Nexus3Error('QUERY_TIMED_OUT', message, { hint: 'Wait a little and call it again, for less at once.' });
}

export function bytes(reply: Reply | undefined): Buffer {
  return Buffer.isBuffer(reply) ? reply : Buffer.alloc(0);
}

export function list(reply: Reply | undefined): readonly Reply[] {
  return Array.isArray(reply) ? (reply as readonly Reply[]) : [];
}

/** What is a list of names and values, as pairs. */
export function pairs(reply: Reply | undefined): (readonly [Buffer, Buffer])[] {
  const all = list(reply);
  return Array.from({ length: Math.floor(all.length / 2) }, (_, at) => [bytes(all[2 * at]), bytes(all[2 * at + 1])]);
}
