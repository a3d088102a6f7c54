/** The least of a Redis client, for tests of what lies below the real one. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Address } from '../../src/protocol/redis-conf.js';

const ANSWER_WAIT_MS = 5_000;

/** Sends inline commands one after the other; the first line of the last one's reply, or `closed`. */
export async function say(address: Address, ...commands: readonly string[]): Promise<string> {
  const socket = connect(address).setTimeout(ANSWER_WAIT_MS, () => socket.destroy());
  try {
    await once(socket, 'connect');
    let line = 'closed';
    for (const command of commands) {
      socket.write(`${command}\r\n`);
      const [reply] = (await Promise.race([once(socket, 'data'), once(socket, 'close')])) as [unknown];
      // Nothing more is said on it, nor would anything end the wait for the next answer.
      if (!Buffer.isBuffer(reply)) return 'closed';
      line = reply.toString('latin1').split('\r\n', 1)[0] ?? '';
    }
    return line;
  } catch {
    return 'closed';
  } finally {
    socket.destroy();
  }
}
