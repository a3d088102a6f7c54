/** Reads: answered by the operational where it can, by the vault where it cannot; never anything but reads. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../errors.js';
import type { Barrier } from './barrier.js';
import type { Cursors } from './cursors.js';
import { lost } from './cursors.js';
import type { Drivers, Link, Request, Send } from './driver.js';
import type { ReadsFrom } from './environment-client.js';
import { commandKind, isCheap } from './read-commands.js';
import type { Side } from './side.js';
import { closed, environmentUnreachable, seen } from './unreachable.js';
import { databaseFixed, isLoading, replicationOver, selects } from './writes.js';

/** How often one read is tried in all, on whichever server. */
const ATTEMPTS_MAX = 6;
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

export class Reads {
  readonly counts = new ReadCounts();
  readonly #init: ReadsInit;

  constructor(init: ReadsInit) {
    this.#init = init;
  }

  around<T>(request: Request, send: Send<T>, link: Link): Promise<T> {
    // A duplicate is for what holds a connection: it stays where it is.
    if (!link.isOwn) return this.#elsewhere(send);
    if (selects(request)) return Promise.reject(databaseFixed());
    const kind = kindOf(request);
    if (kind === 'other') return Promise.reject(notARead(request));
    if (kind === 'own') return this.#own(send);
    const { operational, preferred, barrier } = this.#init;
    const side = operational();
    const isPlain = preferred() === 'operational' && side.isUp && (barrier?.isReached(side.epoch) ?? true);
    if (!isPlain || isScan(request)) return this.#read(request, send);
    this.counts.operational += 1;
    return send().catch((error: unknown) => this.#afterFailure(request, send, error));
  }

  async #elsewhere<T>(send: Send<T>): Promise<T> {
    try {
      return await send();
    } catch (error) {
      throw this.#explained(error, []);
    }
  }

  async #own<T>(send: Send<T>): Promise<T> {
    const side = this.#init.operational();
    try {
      if (!side.isUp) await side.untilUp(this.#init.waitMaxMs);
      return await send();
    } catch (error) {
      throw this.#explained(error, []);
    }
  }

  async #afterFailure<T>(request: Request, send: Send<T>, error: unknown): Promise<T> {
    if (!this.#isAboutServer(error)) throw error;
    this.counts.operational -= 1;
    if (isLoading(error)) this.#init.onLoading();
    return this.#read(request, send, ['operational', error]);
  }

  /** Whichever server can answer, until one has. */
  async #read<T>(request: Request, send: Send<T>, failed?: readonly [ReadsFrom, unknown]): Promise<T> {
    const tried: (readonly [ReadsFrom, unknown])[] = failed === undefined ? [] : [failed];
    const place = this.#scanPlace(request);
    while (tried.length < ATTEMPTS_MAX) {
      const side = await this.#choose(tried.at(-1)?.[0], place?.side);
      if (side === undefined) break;
      if (place !== undefined && place.epoch !== side.epoch) lost(cursorWord(request));
      const { epoch } = side;
      try {
        const reply = await (side.name === 'vault' ? send(side.driver) : this.#fromOperational(request, send, side));
        this.counts[side.name] += 1;
        if (tried.length > 0) this.counts.rerouted += 1;
        if (isScan(request)) this.#init.cursors.note(request.commands[0] ?? [], reply, { side: side.name, epoch });
        return reply;
      } catch (error) {
        if (!this.#isAboutServer(error)) throw error;
        if (isLoading(error) && side.name === 'operational') this.#init.onLoading();
        tried.push([side.name, error]);
      }
    }
    if (place !== undefined) lost(cursorWord(request));
    throw this.#explained(tried.at(-1)?.[1], tried);
  }

  /** The preferred one, but not the one that has just failed where there is another; waits for either where none is up. */
  async #choose(justFailed: ReadsFrom | undefined, only: ReadsFrom | undefined): Promise<Side | undefined> {
    const { operational, vault, preferred, waitMaxMs } = this.#init;
    const both = [operational(), vault()].filter((side) => side !== undefined);
    const sides = only === undefined ? both : both.filter(({ name }) => name === only);
    const rank = ({ name }: Side): number => (name === justFailed ? 2 : 0) + (name === preferred() ? 0 : 1);
    const ready = (): Side | undefined => sides.filter(({ isUp }) => isUp).toSorted((a, b) => rank(a) - rank(b))[0];
    if (this.#init.isClosed()) return undefined;
    const now = ready();
    if (now !== undefined && (now.name !== justFailed || sides.length === 1)) return now;
    if (now !== undefined) {
      // It is there, and has just failed: the other one may come back meanwhile.
      await Promise.race([
        sleep(POLL_PAUSE_MS * 20),
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

  #scanPlace(request: Request) {
    const places = request.commands.map((words) => this.#init.cursors.placeFor(words));
    return places.find((place) => place !== undefined);
  }

  #isAboutServer(error: unknown): boolean {
    return error instanceof NotYet || isLoading(error) || this.#init.connectionFailure(error) !== undefined;
  }

  #explained(error: unknown, tried: readonly (readonly [ReadsFrom, unknown])[]): unknown {
    const { env, isClosed, connectionFailure } = this.#init;
    if (isClosed()) return closed(env);
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

function isScan({ kind, commands }: Request): boolean {
  const name = String(commands[0]?.[0]);
  return kind === 'command' && name.length <= 5 && /^[HSZ]?SCAN$/i.test(name);
}

function cursorWord({ commands }: Request): string {
  const words = commands[0] ?? [];
  return String(words[String(words[0]).toUpperCase() === 'SCAN' ? 1 : 2]);
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
