/**
 * A connection beside a client of node-redis, to the same server and logged in as it is, whose replies come as the bytes
 * they are: whole, in order, and none larger than a bound, with which the connection ends.
 */
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { ErrorReply, SimpleError } from '@redis/client';
import type { RedisClient } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import type { Address } from '../../protocol/redis-conf.js';
import { isError, RespCursor } from '../../resp-cursor.js';
import { openSocket, UnreachableError } from '../connection.js';
import type { UnreachableCause } from '../observation.js';
import { ReplyBytes, ReplyTooLarge } from './reply-bytes.js';

/** How often it is tried to open one: the password may be changed meanwhile. */
const ATTEMPTS_MAX = 3;
/** How long a server may take to let it in. One that is stopped is connected to all the same, by its machine. */
const LOGIN_TIMEOUT_MS = 2_000;
/** After so long without a word, it is asked whether the other machine is still there. As node-redis does. */
const KEEP_ALIVE_MS = 5_000;

interface Waiting {
  readonly resolve: (reply: Buffer) => void;
  readonly reject: (error: Error) => void;
}

export class BareConnection {
  readonly #address: Address;
  readonly #socket: Socket;
  readonly #replies: ReplyBytes;
  readonly #waiting: Waiting[] = [];
  #failure: Error | undefined;

  private constructor(address: Address, socket: Socket, replyBytesMax: number) {
    this.#address = address;
    this.#socket = socket;
    this.#replies = new ReplyBytes(replyBytesMax);
    socket.setKeepAlive(true, KEEP_ALIVE_MS);
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk, replyBytesMax);
    });
    socket.on('error', (error) => {
      this.#fail(this.#unreachable('closed', error.message));
    });
    socket.on('close', () => {
      this.#fail(this.#unreachable('closed', 'it closed the connection'));
    });
  }

  /** @throws what connecting, the password and logging in fail with, as they do for the client itself */
  static async openBeside(client: RedisClient, replyBytesMax: number): Promise<BareConnection> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await BareConnection.#open(client, replyBytesMax);
      } catch (error) {
        const waitMs = refused(client, attempt, error);
        if (waitMs === undefined || attempt + 1 >= ATTEMPTS_MAX) throw error;
        await sleep(waitMs);
      }
    }
  }

  static async #open({ options }: RedisClient, replyBytesMax: number): Promise<BareConnection> {
    const { socket, credentialsProvider, database } = options;
    if (socket === undefined || !('host' in socket)) throw new TypeError('a client without an address');
    const address = { host: socket.host ?? '127.0.0.1', port: socket.port ?? 6_379 };
    const connection = new BareConnection(address, await openSocket(address), replyBytesMax);
    try {
      if (credentialsProvider?.type === 'async-credentials-provider') {
        const { username = 'default', password = '' } = await credentialsProvider.credentials();
        await connection.#askInTime(['AUTH', username, password]);
      }
      if (database !== undefined && database !== 0) await connection.#askInTime(['SELECT', String(database)]);
      return connection;
    } catch (error) {
      connection.close();
      if (error instanceof Nexus3Error || error instanceof ErrorReply || !(error instanceof Error)) throw error;
      // What the client says while it loses connections of its own: for whoever asks, this one did not come to be.
      throw connection.#unreachable('closed', error.message);
    }
  }

  async #askInTime(command: readonly string[]): Promise<void> {
    const timer = setTimeout(() => {
      this.#fail(this.#unreachable('timeout', `no answer within ${String(LOGIN_TIMEOUT_MS)} ms`));
    }, LOGIN_TIMEOUT_MS);
    try {
      await this.ask(command);
    } finally {
      clearTimeout(timer);
    }
  }

  /** False once it has failed or was closed, by either side. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /**
   * One whole reply. How many may wait for theirs is up to the caller.
   * @throws an error reply as node-redis has it; Nexus3Error REPLY_TOO_LARGE, REDIS_UNREACHABLE: it is closed then
   */
  async ask(command: readonly string[]): Promise<Buffer> {
    if (this.#failure !== undefined) throw this.#failure;
    const answered = new Promise<Buffer>((resolve, reject) => this.#waiting.push({ resolve, reject }));
    this.#socket.write(inRedisWords(command));
    const reply = await answered;
    if (isError(reply)) throw new SimpleError(new RespCursor(reply).text());
    return reply;
  }

  /** At once; whoever waits for an answer is told. */
  close(): void {
    this.#fail(this.#unreachable('closed', 'the connection was closed here'));
  }

  #receive(chunk: Buffer, replyBytesMax: number): void {
    if (this.#failure !== undefined) return;
    try {
      for (const reply of this.#replies.push(chunk)) this.#waiting.shift()?.resolve(reply);
    } catch (error) {
      const isTooLarge = error instanceof ReplyTooLarge;
      this.#fail(
        isTooLarge ? tooLarge(replyBytesMax) : this.#unreachable('not-redis', 'it does not speak as Redis does'),
      );
    }
  }

  #unreachable(reason: UnreachableCause, detail: string): UnreachableError {
    return new UnreachableError(this.#address, reason, detail);
  }

  #fail(failure: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#socket.destroy();
    for (const { reject } of this.#waiting.splice(0)) reject(failure);
  }
}

/** As one text: it is written several times as fast as its parts would be joined as bytes. */
function inRedisWords(command: readonly string[]): string {
  const words = command.map((word) => `$${String(Buffer.byteLength(word))}\r\n${word}\r\n`);
  return `*${String(command.length)}\r\n${words.join('')}`;
}

/** The client is told as it is of its own connections: it has the password read anew. After how many milliseconds to try again. */
function refused({ options }: RedisClient, attempt: number, error: unknown): number | undefined {
  const strategy = options.socket?.reconnectStrategy;
  if (!(error instanceof ErrorReply) || typeof strategy !== 'function') return undefined;
  const waitMs = strategy(attempt, error);
  return typeof waitMs === 'number' ? waitMs : undefined;
}

function tooLarge(bytesMax: number): Nexus3Error {
  return new Nexus3Error('REPLY_TOO_LARGE', `The answer is larger than ${String(bytesMax)} bytes.`, {
    hint: 'Ask for fewer rows (LIMIT) or for less of each: single properties, size(x), substring(x, 0, 1000), x[0..100].',
  });
}
