/** Commands for the vault: sent when it is there, refused in bounded time when it is not, never kept for later. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CommandOutcome } from '../errors.js';
import { Nexus3Error } from '../errors.js';
import type { Barrier } from './barrier.js';
import type { Drivers, Interceptor, Link, Request, Send } from './driver.js';
import { commandKind } from './read-commands.js';
import type { Replication } from './replication.js';
import { ASK_REPLICATION, parseReplication } from './replication.js';
import { forbiddenShared, isForbiddenShared } from './shared.js';
import type { Side } from './side.js';
import { closed, tooMany, vaultUnreachable } from './unreachable.js';

/** How often a vault that is still reading its data is asked again, in milliseconds. */
const LOADING_POLL_MS = 50;

export interface WritesInit {
  readonly env: string;
  readonly vault: () => Side;
  /** Undefined: reads do not wait for writes. */
  readonly barrier: Barrier | undefined;
  readonly waitMaxMs: number;
  readonly connectionFailure: Drivers['connectionFailure'];
  readonly isClosed: () => boolean;
  readonly onRefused: () => void;
}

export class Writes implements Interceptor {
  readonly #init: WritesInit;

  constructor(init: WritesInit) {
    this.#init = init;
  }

  isPlain = (name: unknown, { isOwn }: Link): boolean =>
    this.#init.barrier === undefined &&
    isOwn &&
    this.#init.vault().isUp &&
    !this.#init.isClosed() &&
    !isForbiddenShared(name);

  around = <T>(request: Request, send: Send<T>, link: Link): Promise<T> => {
    // A duplicate has a connection of its own, which its owner waits for, and a database of its own.
    const refusal = this.refusal() ?? (link.isOwn ? forbiddenShared(request) : undefined);
    if (refusal !== undefined) return Promise.reject(refusal);
    if (link.isOwn && !this.#init.vault().isUp) return this.#whenUp(request, send, link);
    return this.#send(request, send, link).catch((error: unknown) => this.afterFailure(request, send, link, error));
  };

  refusal = (): Nexus3Error | undefined => (this.#init.isClosed() ? closed(this.#init.env, 'not-sent') : undefined);

  async #whenUp<T>(request: Request, send: Send<T>, link: Link): Promise<T> {
    const vault = this.#init.vault();
    if (!(await vault.untilUp(this.#init.waitMaxMs))) throw this.#refused('not-sent', vault.cause);
    return this.around(request, send, link);
  }

  #send<T>(request: Request, send: Send<T>, link: Link): Promise<T> {
    const { barrier } = this.#init;
    return barrier === undefined || isRead(request) ? send() : this.#marked(send, link, barrier);
  }

  /** With the place in the stream that includes it: only both together are an answer. */
  async #marked<T>(send: Send<T>, link: Link, barrier: Barrier): Promise<T> {
    const [done, place] = await Promise.allSettled([send(), this.#placeBehind(link)]);
    // A command that failed may have written before it did. But a vault that still reads its data has done nothing, and
    // where it is then, nobody follows it yet: an operational that has all that was ever written would not be asked any more.
    if (place.status === 'fulfilled' && !place.value.loading) barrier.want(place.value.position);
    if (done.status === 'rejected') throw done.reason;
    // Once it is closed, nothing is read over this client.
    if (place.status === 'rejected' && !this.#init.isClosed()) await this.#placeElsewhere(link, barrier, place.reason);
    return done.value;
  }

  /** Done, but over a connection that was lost before it said where: another one may say it, and else it is as if no answer had come. */
  async #placeElsewhere(link: Link, barrier: Barrier, reason: unknown): Promise<void> {
    const vault = this.#init.vault();
    try {
      if (link.isOwn || !vault.isUp) throw reason;
      const { loading, position } = await replicationOver(vault.driver);
      // Its place is one in a history that begins only when it has read its data.
      if (loading) throw reason;
      barrier.want(position);
    } catch (error) {
      throw this.#refused('unknown', error);
    }
  }

  #asking: { readonly link: Link; readonly answer: Promise<Replication> } | undefined;

  /** Asked once for all that is sent in one go. */
  #placeBehind(link: Link): Promise<Replication> {
    if (this.#asking?.link === link) return this.#asking.answer;
    const answer = Promise.resolve().then(async () => {
      this.#asking = undefined;
      return replicationOver(link);
    });
    this.#asking = { link, answer };
    return answer;
  }

  /** A vault that has just been started answers that it is loading, and has done nothing; of a pipeline of several, perhaps some. */
  afterFailure = async <T>(request: Request, send: Send<T>, link: Link, first: unknown): Promise<T> => {
    const until = performance.now() + this.#init.waitMaxMs;
    let error = first;
    while (isLoading(error) && !mayBePartlyDone(request)) {
      if (performance.now() >= until) throw this.#refused('not-sent', error);
      await sleep(LOADING_POLL_MS);
      try {
        return await this.#send(request, send, link);
      } catch (next) {
        error = next;
      }
    }
    throw this.#explained(error);
  };

  #explained(error: unknown): unknown {
    if (isLoading(error)) return this.#refused('unknown', error);
    const failure = this.#init.connectionFailure(error);
    if (failure === undefined) return error;
    if (failure === 'full') return tooMany(this.#init.env, error);
    if (failure === 'closed') return this.#init.isClosed() ? closed(this.#init.env, 'not-sent') : error;
    return this.#refused(failure, error);
  }

  #refused(outcome: CommandOutcome, cause: unknown): Nexus3Error {
    this.#init.onRefused();
    const { env, isClosed } = this.#init;
    return isClosed() ? closed(env, outcome) : vaultUnreachable(env, outcome, cause);
  }
}

/** How far a server is. @throws Nexus3Error REDIS_REPLY_UNEXPECTED, and what the driver throws */
export async function replicationOver(link: Link): Promise<Replication> {
  const replication = parseReplication(String(await link.ask(ASK_REPLICATION)));
  if (replication !== undefined) return replication;
  throw new Nexus3Error('REDIS_REPLY_UNEXPECTED', 'A server did not say how far its replication is.', {
    hint: 'Is it one that nexus3 made? `nexus3 check` says.',
  });
}

export function isLoading(error: unknown): boolean {
  return error instanceof Error && /^(?:LOADING|MASTERDOWN) /.test(error.message);
}

/** What stands behind a command that was refused while the vault loaded may have come after that. */
function mayBePartlyDone({ kind, commands }: Request): boolean {
  return kind === 'pipeline' && commands.length > 1;
}

function isRead({ commands }: Request): boolean {
  return commands.every(([name]) => commandKind(String(name)) === 'read');
}
