/**
 * One connection to one server: nothing is sent but what is asked, everything ends in bounded time, nothing reconnects.
 * A server that refuses, hangs, drips, talks nonsense or goes away ends in an `UnreachableError` with its reason.
 */
import { connect, type Socket } from 'node:net';
import { Nexus3Error, systemErrorCode } from '../errors.js';
import type { Endpoint } from '../protocol/redis-conf.js';
import { Secret } from '../protocol/secret.js';
import type { UnreachableCause } from './observation.js';
import type { Reply } from './replies.js';
import { expectOk, ReplyError } from './replies.js';
import type { Command } from './resp.js';
import { encodeCommand, ProtocolViolation, ReplyParser } from './resp.js';

/** How long a connection may take to open, in milliseconds. */
export const CONNECT_TIMEOUT_MS = 2_000;
/** How long the answers to one pipeline may take together, in milliseconds. */
export const COMMAND_TIMEOUT_MS = 5_000;
/** How many commands may wait for an answer on one connection. */
export const PENDING_COMMANDS_MAX = 10_000;

/** No whole answer came, and none will on this connection. */
export class UnreachableError extends Nexus3Error {
  readonly reason: UnreachableCause;
  readonly detail: string;

  constructor(address: Endpoint, reason: UnreachableCause, detail: string) {
    super('REDIS_UNREACHABLE', `${formatAddress(address)} did not answer: ${detail}.`, {
      evidence: [`${formatAddress(address)}: ${reason}: ${detail}`],
      hint: 'Run `nexus3 check` to see what is wrong with this instance.',
    });
    this.reason = reason;
    this.detail = detail;
  }
}

export interface Credential {
  readonly user: string;
  readonly password: Secret;
}

export interface PipelineOptions {
  readonly timeoutMs?: number;
}

interface Pending {
  readonly secrets: readonly Secret[];
  readonly resolve: (reply: Reply) => void;
  readonly reject: (error: UnreachableError) => void;
}

export class Connection implements Disposable {
  readonly address: Endpoint;
  readonly #socket: Socket;
  readonly #parser = new ReplyParser((reply) => {
    this.#take(reply);
  });
  #pending: Pending[] = [];
  #failure: UnreachableError | undefined;
  #lastError: string | undefined;

  private constructor(address: Endpoint, socket: Socket) {
    this.address = address;
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#receive(chunk);
    });
    socket.on('error', (error) => {
      this.#fail(...reasonOf(error));
    });
    socket.on('close', () => {
      const after = this.#lastError === undefined ? '' : ` after it said "${this.#lastError}"`;
      this.#fail('closed', `it closed the connection${after}`);
    });
  }

  /**
   * Opens a connection and sends nothing.
   * @throws UnreachableError
   */
  static async open(address: Endpoint, timeoutMs: number = CONNECT_TIMEOUT_MS): Promise<Connection> {
    const socket = await openSocket(address, timeoutMs);
    return new Connection(address, socket);
  }

  /** False once it has failed or was closed, by either side. */
  get isOpen(): boolean {
    return this.#failure === undefined;
  }

  /**
   * Sends all commands at once and resolves with their replies in order; an error reply is a value among them.
   * @throws UnreachableError when not all have been answered in time; the connection is then closed.
   */
  async pipeline(commands: readonly Command[], options: PipelineOptions = {}): Promise<readonly Reply[]> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#pending.length + commands.length > PENDING_COMMANDS_MAX) {
      throw new UnreachableError(this.address, 'other', `more than ${String(PENDING_COMMANDS_MAX)} commands wait`);
    }
    const timeoutMs = options.timeoutMs ?? COMMAND_TIMEOUT_MS;
    const timer = setTimeout(() => {
      this.#fail('timeout', `no whole answer within ${String(timeoutMs)} ms`);
    }, timeoutMs);
    const replies = commands.map((command) => this.#await(command));
    this.#socket.write(Buffer.concat(commands.map(encodeCommand)));
    try {
      return await Promise.all(replies);
    } finally {
      clearTimeout(timer);
    }
  }

  /** One command, one reply; an error reply is a value. @throws UnreachableError */
  async send(command: Command, options: PipelineOptions = {}): Promise<Reply> {
    const [reply = null] = await this.pipeline([command], options);
    return reply;
  }

  /** @throws Nexus3Error REDIS_REPLY_UNEXPECTED when the credential is not accepted; UnreachableError */
  async authenticate({ user, password }: Credential): Promise<void> {
    expectOk(await this.send(['AUTH', user, password]), `AUTH ${user}`);
  }

  /** At once; whoever still waits for an answer is told. */
  close(): void {
    this.#fail('closed', 'the connection was closed here');
  }

  [Symbol.dispose](): void {
    this.close();
  }

  #await(command: Command): Promise<Reply> {
    const secrets = command.filter((argument) => argument instanceof Secret);
    return new Promise((resolve, reject) => {
      this.#pending.push({ secrets, resolve, reject });
    });
  }

  #receive(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    try {
      this.#parser.push(chunk);
    } catch (error) {
      if (!(error instanceof ProtocolViolation)) throw error;
      this.#fail('not-redis', `it does not speak as Redis does: ${error.message}`);
    }
  }

  #take(reply: Reply): void {
    if (this.#failure !== undefined) return;
    const pending = this.#pending.shift();
    const shown = reply instanceof ReplyError ? reply.without(pending?.secrets ?? []) : reply;
    if (shown instanceof ReplyError) this.#lastError = shown.text;
    if (pending !== undefined) pending.resolve(shown);
    // A server that is full or in protected mode says so unasked and closes: the reason is kept for that.
    else if (!(reply instanceof ReplyError)) this.#fail('not-redis', 'it says what nobody asked');
  }

  #fail(reason: UnreachableCause, detail: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = new UnreachableError(this.address, reason, detail);
    this.#socket.destroy();
    const waiting = this.#pending;
    this.#pending = [];
    for (const { reject } of waiting) reject(this.#failure);
  }
}

/** Opens and authenticates. @throws UnreachableError, Nexus3Error REDIS_REPLY_UNEXPECTED */
export async function openConnection(address: Endpoint, credential: Credential | undefined): Promise<Connection> {
  const connection = await Connection.open(address);
  try {
    if (credential !== undefined) await connection.authenticate(credential);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

/** A bare connection, with nothing read or sent yet. @throws UnreachableError */
export function openSocket(address: Endpoint, timeoutMs: number = CONNECT_TIMEOUT_MS): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ ...address, noDelay: true });
    const timer = setTimeout(() => {
      socket.destroy();
      reject(new UnreachableError(address, 'timeout', `no connection within ${String(timeoutMs)} ms`));
    }, timeoutMs);
    const onError = (error: Error): void => {
      clearTimeout(timer);
      reject(new UnreachableError(address, ...reasonOf(error)));
    };
    socket.once('error', onError);
    socket.once('connect', () => {
      clearTimeout(timer);
      socket.off('error', onError);
      resolve(socket);
    });
  });
}

function reasonOf(error: Error): readonly [UnreachableCause, string] {
  const code = systemErrorCode(error);
  if (code === 'ECONNREFUSED') return ['refused', 'nothing listens there'];
  if (code === 'ECONNRESET' || code === 'EPIPE') return ['closed', 'it closed the connection'];
  if (code === 'ETIMEDOUT') return ['timeout', 'the connection timed out'];
  return ['other', code ?? error.message];
}

/** `127.0.0.1:6640`, or the path of a socket. */
export function formatAddress(address: Endpoint): string {
  if ('path' in address) return address.path;
  const { host, port } = address;
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}
