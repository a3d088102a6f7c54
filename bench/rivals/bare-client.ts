/**
 * What a program without nexus3 does to ask the same: node-redis, all servers at once, the commands of one round trip
 * sent together. It is handed the doors and the passwords, judges nothing, and prints nothing.
 *
 *   bare-client.js create|duplicate FILE
 *
 * `create` makes a client for each server, as its manual says; `duplicate` makes one and duplicates it.
 */
import { readFileSync } from 'node:fs';
import { createClient } from '@redis/client';

export interface Question {
  readonly port: number;
  /** Each list is one round trip. */
  readonly before: readonly (readonly string[])[];
  readonly after: readonly (readonly string[])[];
}

/** None: making hundreds of clients takes longer than the default of 5 s, and only then is it seen that they connected. */
const CONNECT_TIMEOUT_MS = 0;

const [way, file = ''] = process.argv.slice(2);
const questions = JSON.parse(readFileSync(file, 'utf8')) as readonly Question[];
const options = { reconnectStrategy: false, connectTimeout: CONNECT_TIMEOUT_MS } as const;
const base = createClient({ socket: options });

function clientFor(port: number): typeof base {
  const socket = { ...options, host: '127.0.0.1', port };
  return way === 'duplicate' ? base.duplicate({ socket }) : createClient({ socket });
}

async function ask({ port, before, after }: Question): Promise<void> {
  const client = clientFor(port);
  client.on('error', () => undefined);
  await client.connect();
  for (const trip of [before, after]) {
    // A vault refuses a stranger: that is the answer.
    await Promise.allSettled(trip.map((command) => client.sendCommand([...command])));
  }
  await client.close();
}

await Promise.all(questions.map(ask));
