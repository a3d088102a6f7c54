/**
 * One connection of node-redis as the data set needs it: bytes stay bytes, 64-bit numbers keep their digits, thousands of
 * commands go out together with a bound. It shares nothing with the connections of src/redis, whose counting is on trial.
 */
import { createClient, RESP_TYPES } from '@redis/client';

/** Where a server is, and as whom it is asked. */
export interface Door {
  readonly socket: { readonly host: string; readonly port: number } | { readonly path: string };
  readonly username?: string;
  readonly password?: string;
}

export type Word = string | number | Buffer;
export type Words = readonly Word[];

/** Bulk strings as bytes; statuses and integers as text. */
export type Answer = Buffer | string | null | readonly Answer[];

/** What is under way at once, at most. */
const COMMANDS_AT_ONCE_MAX = 2_000;
const BYTES_AT_ONCE_MAX = 4 * 1024 * 1024;
const CONNECT_TIMEOUT_MS = 10_000;

const TYPES = { [RESP_TYPES.BLOB_STRING]: Buffer, [RESP_TYPES.NUMBER]: String } as const;

export class Wire implements AsyncDisposable {
  private constructor(private readonly client: ReturnType<typeof clientFor>) {}

  static async open(door: Door): Promise<Wire> {
    const client = clientFor(door);
    // Without a listener an error ends the process; it is in the rejection of the command, too.
    client.on('error', () => undefined);
    await client.connect();
    return new Wire(client);
  }

  /** Rejects with the server's words where it refuses. */
  async ask(...words: Words): Promise<Answer> {
    const args = words.map((word) => (typeof word === 'number' ? String(word) : word));
    return this.client.sendCommand<Answer>(args, { typeMapping: TYPES });
  }

  async select(db: number): Promise<void> {
    await this.ask('SELECT', db);
  }

  /** All of them, in order, so many at once as the bounds allow. Rejects with the first refusal. */
  async pour(commands: Iterable<Words>): Promise<number> {
    let [batch, bytes, count]: [Promise<Answer>[], number, number] = [[], 0, 0];
    for (const words of commands) {
      batch.push(this.ask(...words));
      bytes += words.reduce<number>((sum, word) => sum + (typeof word === 'number' ? 8 : word.length), 0);
      count += 1;
      if (batch.length < COMMANDS_AT_ONCE_MAX && bytes < BYTES_AT_ONCE_MAX) continue;
      await Promise.all(batch);
      [batch, bytes] = [[], 0];
    }
    await Promise.all(batch);
    return count;
  }

  /** Also of one that the server has closed. */
  [Symbol.asyncDispose](): Promise<void> {
    if (this.client.isOpen) this.client.destroy();
    return Promise.resolve();
  }
}

function clientFor({ socket, username, password }: Door) {
  const login = { ...(username === undefined ? {} : { username }), ...(password === undefined ? {} : { password }) };
  return createClient({
    ...login,
    socket: { ...socket, reconnectStrategy: false, connectTimeout: CONNECT_TIMEOUT_MS },
  });
}

export function textOf(answer: Answer | undefined): string {
  if (typeof answer === 'string') return answer;
  if (Buffer.isBuffer(answer)) return answer.toString('utf8');
  throw new Error(`expected text, got ${JSON.stringify(answer)}`);
}

export function listOf(answer: Answer | undefined): readonly Answer[] {
  if (typeof answer !== 'object' || answer === null || Buffer.isBuffer(answer)) {
    throw new Error(`expected a list, got ${JSON.stringify(answer)}`);
  }
  return answer;
}

export function bytesOf(answer: Answer | undefined): Buffer {
  if (!Buffer.isBuffer(answer)) throw new Error(`expected bytes, got ${JSON.stringify(answer)}`);
  return answer;
}

/** `[name, value, name, value, …]`, as RESP2 has maps. */
export function pairsOf(answer: Answer | undefined): readonly (readonly [Answer, Answer])[] {
  const list = listOf(answer);
  return Array.from({ length: list.length / 2 }, (_, index) => [list[2 * index] ?? null, list[2 * index + 1] ?? null]);
}
