/** A client without a password that tries, on several connections in a tight loop, to be let in just once. */
import { connect } from 'node:net';
import type { Address } from '../../src/protocol/redis-conf.js';

const CONNECTIONS = 4;
/** One try: connect, ask everything, be refused. */
const TRY_TIMEOUT_MS = 2_000;
/** The intruder shares its cores with the server that it waits for. */
const PAUSE_MS = 1;
/** What gets through is shown, but never more of it than this. */
const SHOWN_MAX = 20;

export interface Intrusion {
  readonly asks: readonly string[];
  /** How each reply must begin, and no other way. */
  readonly refusal: string;
}

export const AT_A_VAULT: Intrusion = {
  asks: [
    'PING',
    'INFO',
    'SET intruder 1',
    'CONFIG GET *',
    'HELLO 3',
    'ACL WHOAMI',
    'REPLICAOF NO ONE',
    'GRAPH.QUERY g RETURN',
  ],
  refusal: '-NOAUTH ',
};

export const AT_AN_OPERATIONAL: Intrusion = {
  asks: [
    'SET intruder 1',
    'CONFIG GET masterauth',
    'CONFIG SET replica-read-only no',
    'REPLICAOF NO ONE',
    'ACL SETUSER default +@all',
    'SHUTDOWN NOSAVE',
    'GRAPH.QUERY g RETURN',
  ],
  refusal: '-NOPERM ',
};

export interface Tally {
  /** Connections that were not made, or were closed before an answer. */
  readonly failures: number;
  readonly refusals: number;
  /** Every other reply: `PING: +PONG`. */
  readonly breaches: readonly string[];
}

export interface Intruder {
  tally(): Tally;
  stop(): Promise<Tally>;
}

export function startIntruder(address: Address, { asks, refusal }: Intrusion): Intruder {
  const stopping = new AbortController();
  const breaches = new Set<string>();
  let failures = 0;
  let refusals = 0;

  const tryOnce = async (): Promise<void> => {
    const replies = await askAll(address, asks);
    if (replies.length === 0) failures += 1;
    replies.forEach((reply, index) => {
      if (reply.startsWith(refusal)) refusals += 1;
      else if (breaches.size < SHOWN_MAX) breaches.add(`${asks[index] ?? 'unasked'}: ${reply.slice(0, 80)}`);
    });
  };
  const loop = async (): Promise<void> => {
    while (!stopping.signal.aborted) {
      await tryOnce();
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    }
  };
  const loops = Array.from({ length: CONNECTIONS }, loop);
  const tally = (): Tally => ({ failures, refusals, breaches: [...breaches] });
  return {
    tally,
    async stop() {
      stopping.abort();
      await Promise.all(loops);
      return tally();
    },
  };
}

/** All at once on a connection of its own. The lines that came back, up to the first that is no error. */
function askAll(address: Address, asks: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ ...address, noDelay: true });
    const timer = setTimeout(() => socket.destroy(), TRY_TIMEOUT_MS);
    socket.on('connect', () => socket.write(asks.map((ask) => `${ask}\r\n`).join('')));
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      const lines = wholeLines(text);
      // One that is no error may be of many lines: it is enough to have got it.
      if (lines.length >= asks.length || lines.some((line) => !line.startsWith('-'))) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      const lines = wholeLines(text);
      const end = lines.findIndex((line) => !line.startsWith('-'));
      resolve(end === -1 ? lines : lines.slice(0, end + 1));
    });
  });
}

function wholeLines(text: string): readonly string[] {
  return text.split('\r\n').slice(0, -1);
}
