/**
 * What a program without nexus3 does for one secret: log in on a new connection with node-redis, and HGET. It opens and
 * decrypts nothing.
 *
 *   bare-hget.js FILE
 */
import { readFileSync } from 'node:fs';
import { createClient } from '@redis/client';

export interface HashQuestion {
  readonly url: string;
  readonly key: string;
  readonly field: string;
}

export async function hget({ url, key, field }: HashQuestion): Promise<string | null> {
  const client = createClient({ url });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return await client.hGet(key, field);
  } finally {
    client.destroy();
  }
}

const [file] = process.argv.slice(2);
if (file?.endsWith('.question.json') === true) {
  const found = await hget(JSON.parse(readFileSync(file, 'utf8')) as HashQuestion);
  if (found === null) throw new Error('nothing was found');
}
