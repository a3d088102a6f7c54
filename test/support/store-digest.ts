/** All that a server holds, as lines that can be compared: nothing was written where they are the same. */
import type { Role } from '../../src/protocol/environment.js';
import type { Nexus, PlainReply } from './nexus.js';

/** Larger keys are compared by length alone. */
const WHOLE_BYTES_MAX = 1_000_000;
/** So that a difference can be read. */
const NAME_CHARACTERS_MAX = 100;

export async function storeDigest(nexus: Nexus, env: string, role: Role = 'vault'): Promise<readonly string[]> {
  const ask = (...args: readonly string[]): Promise<PlainReply> => nexus.admin(env, role, ...args);
  const lines: string[] = [];
  for (const key of await allKeys(ask)) {
    const type = String(await ask('TYPE', key));
    lines.push(
      `${JSON.stringify(key).slice(0, NAME_CHARACTERS_MAX)} ${type} ${type === 'graphdata' ? await graph(ask, key) : await plain(ask, key)}`,
    );
  }
  return lines.toSorted();
}

type Ask = (...args: readonly string[]) => Promise<PlainReply>;

async function allKeys(ask: Ask): Promise<readonly string[]> {
  const keys: string[] = [];
  let cursor = '0';
  do {
    const [next, found] = (await ask('SCAN', cursor, 'COUNT', '10000')) as [string, string[]];
    keys.push(...found);
    cursor = next;
  } while (cursor !== '0');
  // The engine's own notes, also of reads.
  return keys.filter((key) => !key.startsWith('telemetry{'));
}

async function plain(ask: Ask, key: string): Promise<string> {
  const bytes = Number(await ask('MEMORY', 'USAGE', key));
  return bytes > WHOLE_BYTES_MAX ? `${String(bytes)} bytes` : JSON.stringify(await ask('DUMP', key));
}

async function graph(ask: Ask, key: string): Promise<string> {
  const rows: unknown[] = [];
  for (const query of [
    'MATCH (n) RETURN id(n), labels(n), properties(n) ORDER BY id(n) LIMIT 5000',
    'MATCH ()-[r]->() RETURN id(r), type(r), properties(r) ORDER BY id(r) LIMIT 5000',
    'MATCH (n) RETURN count(n)',
    'CALL db.indexes() YIELD label, properties RETURN label, properties',
    'CALL db.labels()',
  ]) {
    const reply = await ask('GRAPH.RO_QUERY', key, query);
    rows.push(Array.isArray(reply) ? reply[1] : reply);
  }
  return JSON.stringify(rows);
}
