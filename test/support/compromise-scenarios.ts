/** The drill for the worst day: somebody has the vault's password, and uses it. Told from the first theft to the last proof. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { hostAddress } from '../../src/reconcile/access.js';
import { until } from './break.js';
import type { Contents } from './data-set/contents.js';
import { differences } from './data-set/contents.js';
import { readEverything } from './data-set/read-everything.js';
import { listOf, textOf, Wire, type Door } from './data-set/wire.js';
import type { NexusOptions } from './nexus.js';
import { Nexus } from './nexus.js';

const SECOND_MS = 1_000;
const MINUTE_MS = 60_000;
/** From the moment the operator is told until the last proof. */
const DRILL_MINUTES_MAX = 3;
const ORDERS = 500;

interface AuditEntry {
  readonly action: string;
  readonly what: string;
  readonly outcome: string;
}

export function describeCompromise(options: NexusOptions): void {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make({ ...options, yaml: 'backup: {}' });
    await nexus.report(0, 'up');
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  async function doorOf(password: string): Promise<Door> {
    return { socket: hostAddress(await nexus.spec('track', 'vault')), username: 'default', password };
  }

  async function operator(...command: readonly string[]): Promise<string> {
    const { code, out, err } = await nexus.run(...command);
    expect(code, `nexus3 ${command.join(' ')}\n${out}\n${err}`).toBe(0);
    return out;
  }

  /** As the administrators of both read it; the operational once it has all that the vault has. */
  async function everythingOn(role: 'vault' | 'operational'): Promise<Contents> {
    const password = await nexus.password('track', role === 'vault' ? 'admin' : 'operational-admin');
    return readEverything({ socket: hostAddress(await nexus.spec('track', role)), username: 'admin', password });
  }

  it(
    'the password of a vault is stolen, its data are ruined; minutes later they are what they were the second before',
    async () => {
      // A shop keeps its orders in track. Last night a backup was made, and the day goes on.
      const stolen = await nexus.password('track');
      await using shop = await Wire.open(await doorOf(stolen));
      await openShop(shop);
      await operator('backup', 'create', 'track');
      await shop.ask('SET', 'order:of-today', 'paid');
      await shop.ask('GRAPH.QUERY', 'customers', "CREATE (:Customer {id: 1000, name: 'came today'})");

      // Somebody has read the password in a leaked log, and looks around first. Nobody notices: reading leaves no trace.
      await using thief = await Wire.open(await doorOf(stolen));
      expect(listOf(await thief.ask('KEYS', 'order:*'))).toHaveLength(ORDERS + 1);
      expect(textOf(await thief.ask('GET', 'order:of-today'))).toBe('paid');

      // The last good second. The order that came in it must survive.
      await shop.ask('SET', 'order:last', 'paid');
      const good = await everythingOn('vault');
      const lastGood = await endOfThisSecond(shop);

      // Then it is all gone, and what is there instead is a lie.
      await thief.ask('FLUSHALL');
      for (let order = 0; order < ORDERS; order += 1) await thief.ask('SET', `order:${String(order)}`, 'refund to me');
      await thief.ask('GRAPH.QUERY', 'customers', "UNWIND range(1, 50) AS i CREATE (:Customer {id: i, name: 'junk'})");
      await thief.ask('GRAPH.QUERY', 'botnet', 'CREATE (:Bot)-[:OBEYS]->(:Master)');
      await thief.ask('FUNCTION', 'LOAD', "#!lua name=door\nredis.register_function('back', function() return 1 end)");
      await until(
        async () => (await nexus.anonymous('track', 'operational', 'GET', 'order:last')) === null,
        'the ruin',
      );

      // A customer calls: her order is gone. From here on the clock runs.
      const calledAt = performance.now();
      expect(await nexus.anonymous('track', 'operational', 'GET', 'order:7')).toBe('refund to me');
      // nexus3 finds nothing wrong: the link is up, and what was done looks like any other write.
      expect(await nexus.findings('track')).toEqual([]);

      // First the password: from now on the stolen one opens nothing.
      await operator('rotate', 'track', '--grace', '0');
      expect(await nexus.asApplication('track', stolen, 'PING'), 'the stolen password').toBeUndefined();

      // Then the data. The shop's own log says which second was still good.
      const restored = await operator('restore', 'track', '--at', lastGood, '--yes', '--json');
      // Who was in is out: the vault was started anew, and with it every connection of the thief ended.
      await expect(thief.ask('PING')).rejects.toThrow();
      expect(await nexus.asApplication('track', stolen, 'PING'), 'the stolen password, still').toBeUndefined();

      // Everything written until that second is there, what came after it is not: on the vault, and on the operational.
      for (const role of ['vault', 'operational'] as const) {
        expect(differences(good, await everythingOn(role)), role).toEqual([]);
      }
      expect(await nexus.anonymous('track', 'operational', 'GET', 'order:last')).toBe('paid');
      expect(await nexus.anonymous('track', 'operational', 'EXISTS', 'botnet')).toBe(0);
      const minutes = (performance.now() - calledAt) / MINUTE_MS;

      // The shop opens again, with the new password.
      await using again = await Wire.open(await doorOf(await nexus.password('track')));
      await again.ask('SET', 'order:after', 'paid');
      await until(
        async () => (await nexus.anonymous('track', 'operational', 'GET', 'order:after')) === 'paid',
        'an order',
      );
      expect(await nexus.findings('track')).toEqual([]);

      // What was done about it is on record, and what the thief left is kept for whoever has to look into it.
      const entries = (JSON.parse(await operator('locker', 'audit', '--json')) as { entries: AuditEntry[] }).entries;
      const done = entries.filter(({ what, outcome }) => what.startsWith('track') && outcome === 'ok');
      const actions = done.map(({ action }) => action).filter((action) => /rotate|restore/.test(action));
      expect(actions[0]).toBe('rotate');
      expect(actions.at(-1)).toMatch(/restore/);
      await operator('locker', 'audit', '--verify');
      expect(restored).toMatch(/"keptAside": ?"[^"]+aside/);

      console.log(`# drill: ${minutes.toFixed(2)} minutes from the call until everything was proven to be back`);
      expect(minutes).toBeLessThan(DRILL_MINUTES_MAX);
    },
    5 * MINUTE_MS,
  );
}

async function openShop(shop: Wire): Promise<void> {
  await shop.pour(Array.from({ length: ORDERS }, (_, order) => ['SET', `order:${String(order)}`, 'paid']));
  await shop.ask('HSET', 'stock', 'copper lantern', 12, 'ivory kestrel', 3);
  const create = 'UNWIND range(1, 200) AS i CREATE (:Customer {id: i, name: "customer " + toString(i)})';
  await shop.ask('GRAPH.QUERY', 'customers', create);
  await shop.ask('GRAPH.QUERY', 'customers', 'CREATE INDEX FOR (c:Customer) ON (c.id)');
  const link = 'MATCH (a:Customer), (b:Customer {id: a.id + 1}) CREATE (a)-[:RECOMMENDED {year: 2026}]->(b)';
  await shop.ask('GRAPH.QUERY', 'customers', link);
}

/** By the vault's own clock, and once it has passed: as `--at` wants it. */
async function endOfThisSecond(shop: Wire): Promise<string> {
  const seconds = async (): Promise<number> => Number(textOf(listOf(await shop.ask('TIME'))[0]));
  const now = await seconds();
  await until(async () => (await seconds()) > now, 'the next second');
  return new Date(now * SECOND_MS).toISOString().replace('.000Z', 'Z');
}
