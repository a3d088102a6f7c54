/** Reads: answered by the operational where it can, by the vault where it cannot; never anything but reads. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../errors.js';
import type { Barrier } from './barrier.js';
import type { Continued, Cursors } from './cursors.js';
import { lost } from './cursors.js';
import type { Drivers, Interceptor, Link, Request, Send } from './driver.js';
import type { ReadsFrom } from './environment-client.js';
import { commandKind, isCheap, isPlainRead } from './read-commands.js';
import { forbiddenShared, selects } from './shared.js';
import type { Side } from './side.js';
import { closed, environmentUnreachable, seen, tooMany, writesNotVisible } from './unreachable.js';
import { isLoading, replicationOver } from './writes.js';

/** A read is tried so often, and then on for as long as it may wait for a connection, with a pause each time. */
const ATTEMPTS_AT_ONCE = 3;
const ATTEMPT_PAUSE_MS = 20;
/** An operational that has not caught up is asked so often at once, and then after a pause each time. */
const POLLS_AT_ONCE = 3;
const POLL_PAUSE_MS = 1;

export interface ReadsInit {
  readonly env: string;
  /** In a Secure Environment the operational is another connection to the vault, and the vault is not asked. */
  readonly operational: () => Side;
  readonly vault: () => Side | undefined;
  readonly preferred: () => ReadsFrom;
  readonly barrier: Barrier | undefined;
  readonly readYourWritesMaxMs: number;
  readonly waitMaxMs: number;
  readonly cursors: Cursors;
  readonly connectionFailure: Drivers['connectionFailure'];
  readonly isClosed: () => boolean;
  /** The operational answered that it is reading its data. */
  readonly onLoading: () => void;
}

/** Of one client, since it was made. */
export class ReadCounts {
  operational = 0;
  vault = 0;
  rerouted = 0;
  waited = 0;
}

/** A server that answered, but not what can be used; another one is asked. */
class NotYet extends Error {}

export class Reads implements Interceptor {
  readonly counts = new ReadCounts();
  readonly #init: ReadsInit;

  constructor(init: ReadsInit) {
    this.#init = init;
  }

  isPlain = (name: unknown, { isOwn }: Link): boolean => {
    if (!isOwn || !isPlainRead(name) || this.#init.preferred() !== 'operational' || this.#init.isClosed()) return false;
    const side = this.#init.operational();
    if (!side.isUp || this.#init.barrier?.isReached(side.epoch) === false) return false;
    this.counts.operational += 1;
    return true;
  };

  around = <T>(request: Request, send: Send<T>, link: Link): Promise<T> => {
    const refusal = this.refusal() ?? (link.isOwn ? forbiddenShared(request) : undefined);
    if (refusal !== undefined) return Promise.reject(refusal);
    const kind = kindOf(request);
    if (kind === 'other' && !selects(request)) return Promise.reject(notARead(request));
    // A duplicate is for what holds a connection: it stays where it is.
    if (!link.isOwn) return this.#elsewhere(send);
    return kind === 'own' ? this.#here(request, send) : this.#read(request, send);
  };

  afterFailure = async <T>(request: Request, send: Send<T>, _link: Link, error: unknown): Promise<T> => {
    this.counts.operational -= 1;
    if (!this.#isAboutServer(error)) throw this.#explained(error, []);
    if (isLoading(error)) this.#init.onLoading();
    return this.#read(request, send, ['operational', error]);
  };

  refusal = (): Nexus3Error | undefined => (this.#init.isClosed() ? closed(this.#init.env) : undefined);

  /** Over a connection that its owner waits for. */
  async #elsewhere<T>(send: Send<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw this.#explained(error, []);
    }
  }

  /** Of that server and no other. */
  async #here<T>(request: Request, send: Send<T>): Promise<T> {
    const side = this.#init.operational();
    const scans = this.#init.cursors.continued(request.commands);
    try {
      if (!side.isUp) await side.untilUp(this.#init.waitMaxMs);
      if (scans !== undefined && !isThere(scans, side)) lost(scans.cursor);
      return this.#marked(request, await send(undefined, scans?.commands), side, scans);
    } catch (error) {
      throw this.#explained(error, []);
    }
  }

  /** Whichever server can answer, until one has. */
  async #read<T>(request: Request, send: Send<T>, failed?: readonly [ReadsFrom, unknown]): Promise<T> {
    const tried: (readonly [ReadsFrom, unknown])[] = failed === undefined ? [] : [failed];
    const scans = this.#init.cursors.continued(request.commands);
    const ask: Send<T> = scans === undefined ? send : (on) => send(on, scans.commands);
    const until = performance.now() + this.#init.waitMaxMs;
    while (tried.length < ATTEMPTS_AT_ONCE || performance.now() < until) {
      if (tried.length >= ATTEMPTS_AT_ONCE) await sleep(ATTEMPT_PAUSE_MS);
      const side = await this.#choose(tried.at(-1)?.[0], scans?.place.side);
      if (side === undefined) break;
      if (scans !== undefined && !isThere(scans, side)) lost(scans.cursor);
      try {
        const reply = await (side.name === 'vault' ? ask(side.driver) : this.#fromOperational(request, ask, side));
        this.counts[side.name] += 1;
        if (tried.length > 0) this.counts.rerouted += 1;
        return this.#marked(request, reply, side, scans);
      } catch (error) {
        if (!this.#isAboutServer(error) || this.#isOver(error)) throw this.#explained(error, []);
        if (isLoading(error) && side.name === 'operational') this.#init.onLoading();
        tried.push([side.name, error]);
      }
    }
    if (scans !== undefined) lost(scans.cursor);
    throw this.#explained(tried.at(-1)?.[1], tried);
  }

  /** The preferred one, but not the one that has just failed where there is another; waits for either where none is up. */
  async #choose(justFailed: ReadsFrom | undefined, only: ReadsFrom | undefined): Promise<Side | undefined> {
    const { operational, vault, preferred, waitMaxMs } = this.#init;
    const both = [operational(), vault()].filter((side) => side !== undefined);
    const sides = only === undefined ? both : both.filter(({ name }) => name === only);
    const rank = ({ name }: Side): number => (name === justFailed ? 2 : 0) + (name === preferred() ? 0 : 1);
    const ready = (): Side | undefined => sides.filter(({ isUp }) => isUp).toSorted((a, b) => rank(a) - rank(b))[0];
    const now = ready();
    if (now !== undefined && (now.name !== justFailed || sides.length === 1)) return now;
    if (this.#init.isClosed()) return undefined;
    if (now !== undefined) {
      // It is there, and has just failed: the other one may come back meanwhile.
      await Promise.race([
        sleep(ATTEMPT_PAUSE_MS),
        ...sides.filter(({ isUp }) => !isUp).map((side) => side.untilUp(waitMaxMs)),
      ]);
      return ready();
    }
    await Promise.any(sides.map(async (side) => (await side.untilUp(waitMaxMs)) || Promise.reject(new NotYet()))).catch(
      () => undefined,
    );
    return ready();
  }

  /** @throws NotYet where it lacks what this client wrote, for too long */
  async #fromOperational<T>(request: Request, send: Send<T>, side: Side): Promise<T> {
    const { barrier } = this.#init;
    if (barrier === undefined || barrier.isReached(side.epoch)) return send();
    this.counts.waited += 1;
    const isAskedAtOnce = request.kind === 'command' && isCheap(String(request.commands[0]?.[0]));
    const until = performance.now() + this.#init.readYourWritesMaxMs;
    for (let poll = 0; ; poll += 1) {
      const { epoch } = side;
      const asked = replicationOver(side.driver);
      // Sent behind the question, so what it gives is at least as new as that answer.
      const reply = isAskedAtOnce ? send() : undefined;
      reply?.catch(() => undefined);
      const { position } = await asked;
      if (barrier.see(position, epoch) && side.epoch === epoch) return reply ?? send();
      if (performance.now() >= until) throw new NotYet('it has not yet what this client wrote');
      if (poll >= POLLS_AT_ONCE) await sleep(POLL_PAUSE_MS);
    }
  }

  /** @throws Nexus3Error CURSOR_LOST where the connection was made anew before it was sent: an answer comes over the one of now */
  #marked<T>({ kind, commands }: Request, reply: T, side: Side, scans: Continued | undefined): T {
    if (scans !== undefined && !isThere(scans, side)) lost(scans.cursor);
    const replies: readonly unknown[] = kind === 'command' ? [reply] : Array.isArray(reply) ? reply : [];
    this.#init.cursors.mark(commands, replies, { side: side.name, epoch: side.epoch });
    return reply;
  }

  #isAboutServer(error: unknown): boolean {
    const failure = this.#init.connectionFailure(error);
    return error instanceof NotYet || isLoading(error) || (failure !== undefined && failure !== 'full');
  }

  /** Both have been ended, and none of them is asked again. */
  #isOver(error: unknown): boolean {
    return this.#init.isClosed() && this.#init.connectionFailure(error) === 'closed';
  }

  #explained(error: unknown, tried: readonly (readonly [ReadsFrom, unknown])[]): unknown {
    const { env, isClosed, connectionFailure } = this.#init;
    if (isClosed()) return closed(env);
    if (connectionFailure(error) === 'full') return tooMany(env, error);
    if (
      error !== undefined &&
      !(error instanceof NotYet) &&
      !isLoading(error) &&
      connectionFailure(error) === undefined
    ) {
      return /^(?:NOPERM|READONLY) /.test(error instanceof Error ? error.message : '') ? notAllowed(error) : error;
    }
    const { operational, vault } = this.#init;
    const states = [operational(), vault()].filter((side) => side !== undefined);
    const evidence = [
      ...tried.map(([name, cause]) => `${name}: ${seen(cause).join('')}`),
      ...states.filter(({ isUp }) => !isUp).map((side) => `${side.name} is away: ${seen(side.cause).join('')}`),
    ];
    // It answers, but not truthfully for this client: what it lacks has gone with the vault.
    const ofOperational = tried.findLast(([name]) => name === 'operational')?.[1];
    if (ofOperational instanceof NotYet && operational().isUp) {
      return writesNotVisible(env, [...new Set(evidence)], ofOperational);
    }
    return environmentUnreachable(env, [...new Set(evidence)], error ?? states.find(({ cause }) => cause)?.cause);
  }
}

function kindOf({ commands }: Request): 'read' | 'own' | 'other' {
  let kind: 'read' | 'own' = 'read';
  for (const [name] of commands) {
    const one = commandKind(String(name));
    if (one === 'other') return 'other';
    if (one === 'own') kind = 'own';
  }
  return kind;
}

function isThere({ place }: Continued, side: Side): boolean {
  return place.side === side.name && place.epoch === side.epoch;
}

function notARead({ commands }: Request): Nexus3Error {
  const names = commands.map(([name]) => String(name).toUpperCase()).filter((name) => commandKind(name) === 'other');
  return new Nexus3Error('NOT_A_READ', `${[...new Set(names)].join(', ')} cannot be asked of the operational.`, {
    evidence: ['it was not sent'],
    hint: 'What writes, and what may write, goes to `client.vault`; a graph’s `query` does by itself.',
  });
}

function notAllowed(cause: unknown): Nexus3Error {
  return new Nexus3Error('NOT_A_READ', 'The operational refused that.', {
    evidence: seen(cause),
    hint: 'Its anonymous user can read and nothing else; ask `client.vault`.',
    cause,
  });
}
