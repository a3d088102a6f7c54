/** Locker's connection, as Locker needs it: opened when first used, opened anew after a failure, every failure in its words. */
import { Nexus3Error } from '../errors.js';
import { isCommandRefused, refused } from './refused.js';

export type LockerReply = string | number | null | readonly LockerReply[];

/** What the composition root hands in; it knows Redis, Locker does not. */
export interface LockerConnection {
  /** False once it has failed or was closed, by either side. */
  readonly isOpen: boolean;
  /** Sends all at once; replies in order. @throws Nexus3Error for no reply, and for one that is an error */
  ask(commands: readonly (readonly string[])[], timeoutMs?: number): Promise<readonly LockerReply[]>;
  close(): void;
}

export type ConnectLocker = () => Promise<LockerConnection>;

export class Channel {
  readonly #connect: ConnectLocker;
  #connection: Promise<LockerConnection> | undefined;

  constructor(connect: ConnectLocker) {
    this.#connect = connect;
  }

  /**
   * For what may be done twice; see `useTwice`.
   * @throws Nexus3Error LOCKER_UNREACHABLE, LOCKER_PASSWORD_REFUSED
   */
  async ask(commands: readonly (readonly string[])[], timeoutMs?: number): Promise<readonly LockerReply[]> {
    return this.useTwice((connection) => connection.ask(commands, timeoutMs));
  }

  /**
   * As `use`, and once more on a new connection where the server closes the first one, as when it is restarted or the root
   * key is changed: so only for what may be done twice.
   */
  async useTwice<T>(work: (connection: LockerConnection) => Promise<T>): Promise<T> {
    try {
      return await this.use(work);
    } catch (error) {
      if (!wasClosed(error)) throw error;
      return this.use(work);
    }
  }

  /**
   * One connection for all of `work`, which is what WATCH and WAITAOF need.
   * @throws Nexus3Error LOCKER_UNREACHABLE, and what `work` throws of its own
   */
  async use<T>(work: (connection: LockerConnection) => Promise<T>): Promise<T> {
    await this.#forgetClosed();
    const opened = (this.#connection ??= this.#connect());
    try {
      return await work(await opened);
    } catch (error) {
      const isOpened = await opened.then(
        () => true,
        () => false,
      );
      // What failed to open stays failed: the next one tries anew.
      if (!isOpened || isOfRedis(error)) await this.#drop(opened);
      throw isOfRedis(error) ? inLockersWords(error) : error;
    }
  }

  async close(): Promise<void> {
    if (this.#connection !== undefined) await this.#drop(this.#connection);
  }

  /** The server may have closed it meanwhile, e.g. because it was restarted. */
  async #forgetClosed(): Promise<void> {
    const known = this.#connection;
    const connection = await known?.catch(() => undefined);
    if (connection?.isOpen === false && this.#connection === known) this.#connection = undefined;
  }

  /** Another caller may have opened a new one meanwhile: that one stays. */
  async #drop(opened: Promise<LockerConnection>): Promise<void> {
    if (this.#connection === opened) this.#connection = undefined;
    const connection = await opened.catch(() => undefined);
    connection?.close();
  }
}

/** The server ended the connection, rather than not answering. */
export function wasClosed(error: unknown): boolean {
  const cause = error instanceof Nexus3Error && error.code === 'LOCKER_UNREACHABLE' ? error.cause : undefined;
  return cause instanceof Nexus3Error && 'reason' in cause && cause.reason === 'closed';
}

function isOfRedis(error: unknown): error is Nexus3Error {
  return error instanceof Nexus3Error && error.code.startsWith('REDIS_');
}

function inLockersWords(error: Nexus3Error): Nexus3Error {
  // Whoever got in with its password has the right root key.
  if (isCommandRefused(error)) return refused(error, 'fits');
  return new Nexus3Error('LOCKER_UNREACHABLE', 'Locker cannot be asked.', {
    evidence: error.evidence.length === 0 ? [error.message] : error.evidence,
    hint: 'Start it with `nexus3 up locker`, or see what is wrong with it: `nexus3 check locker`.',
    cause: error,
  });
}
