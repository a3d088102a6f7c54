/** What a program sees of `connect` when one of its servers is not as it should be. Failures under load: client-failure. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { connect } from '../../src/compose-client.js';
import type { EnvironmentClient } from '../../src/compose-client.js';
import { CONFIG_FILE } from '../../src/protocol/layout.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { PROCESS_HANDS, until } from '../support/break.js';
import { outcomeOf } from '../support/client-load.js';
import { allRefused, heard, LATE_MS, OpenClients, QUICK, readsGoTo, refusalOf } from '../support/client-tests.js';
import { freePortBlock, Nexus } from '../support/nexus.js';
import { slowLink } from '../support/slow-link.js';

const hands = PROCESS_HANDS;
const REFUSED_WITHIN_MS = QUICK.vaultWaitMaxMs + QUICK.silenceMaxMs + LATE_MS;

let nexus: Nexus;
const clients = new OpenClients(() => nexus);

beforeAll(async () => {
  nexus = await Nexus.make({
    runtime: 'process',
    environments: { track: 'standard', user: 'secure', hidden: 'secure' },
  });
  await nexus.report(0, 'up');
  await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
});

afterEach(async ({ task }) => {
  await clients.closeAll();
  // One story that goes wrong must not make the next ones go wrong.
  if (task.result?.state === 'fail') {
    for (const role of ['vault', 'operational'] as const) await hands.thaw(nexus, 'track', role).catch(() => undefined);
    await nexus.run('up');
    await nexus.run('check', '--fix');
  }
  expect(await nexus.findings('track')).toEqual([]);
});

afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

const valueOf = async (key: string) => nexus.admin('track', 'vault', 'GET', key);
const isThere = async (key: string) => nexus.admin('track', 'vault', 'EXISTS', key);

/** Every way in which a program writes; each under a key of its own. */
function writesOf(client: EnvironmentClient, key: string) {
  return {
    set: () => client.vault.set(`${key}:set`, 'x'),
    pipeline: () => client.vault.multi().set(`${key}:pipeline`, 'x').execAsPipeline(),
    multi: () => client.vault.multi().set(`${key}:multi`, 'x').exec(),
    raw: () => client.vault.sendCommand(['SET', `${key}:raw`, 'x']),
    graph: () => client.graph(`${key}:graph`).query('CREATE (:Written)'),
  };
}

describe('the operational', () => {
  it('down: the vault answers in its place, and reads go back when it is healthy', async () => {
    const client = await clients.open();
    const routes = heard(client, 'route');
    expect(await client.operational.get('kept')).toBe('value');
    expect(client.counters).toMatchObject({ readsFromOperational: 1, readsFromVault: 0, routeChanges: 0 });

    await hands.kill(nexus, 'track', 'operational');
    for (let count = 0; count < 20; count += 1) expect(await client.operational.get('kept')).toBe('value');
    expect(await client.graphs()).toEqual(expect.any(Array));
    await readsGoTo(client, 'vault');
    expect(client.state).toEqual({ vault: 'up', operational: 'down', readsFrom: 'vault' });
    expect(client.counters.readsFromVault).toBeGreaterThan(0);

    await hands.start(nexus, 'track', 'operational');
    await readsGoTo(client, 'operational');
    const { readsFromVault } = client.counters;
    expect(await client.operational.get('kept')).toBe('value');
    expect(client.counters).toMatchObject({ readsFromVault, routeChanges: routes.length });
    expect(routes[0]).toMatchObject({ env: 'track', readsFrom: 'vault', reason: 'down' });
    expect(routes.at(-1)).toMatchObject({ env: 'track', readsFrom: 'operational', reason: 'healthy' });
  });

  it('silent: no read waits for longer than the bound', async () => {
    const client = await clients.open();
    const routes = heard(client, 'route');
    await client.operational.get('kept');
    await hands.freeze(nexus, 'track', 'operational');
    const begin = performance.now();
    const values = await Promise.all(Array.from({ length: 50 }, () => client.operational.get('kept')));
    expect(new Set(values)).toEqual(new Set(['value']));
    expect(performance.now() - begin).toBeLessThan(QUICK.silenceMaxMs + 2 * QUICK.watchIntervalMs + LATE_MS);
    await readsGoTo(client, 'vault');
    expect(routes[0]?.reason).toMatch(/^(?:silent|down)$/);
    await hands.thaw(nexus, 'track', 'operational');
    await readsGoTo(client, 'operational');
  });

  it('loading a full copy: the vault answers meanwhile', async () => {
    const client = await clients.open();
    const routes = heard(client, 'route');
    const [host, port] = await masterOf();
    // Some 3 s of it, of which it is seen that it loads.
    for (const [name, value] of [
      ['key-load-delay', '2000'],
      ['loading-process-events-interval-bytes', '1024'],
    ] as const) {
      await nexus.admin('track', 'operational', 'CONFIG', 'SET', name, value);
    }
    await client.vault.eval("for i = 1, 1500 do redis.call('SET', 'loaded:' .. i, string.rep('x', 400)) end");
    const backlog = (await nexus.admin('track', 'vault', 'CONFIG', 'GET', 'repl-backlog-size')) as readonly string[];
    await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'repl-backlog-size', '16384');
    await nexus.admin('track', 'operational', 'REPLICAOF', '127.0.0.1', String(await freePortBlock(2)));
    await client.vault.eval("for i = 1, 1500 do redis.call('SET', 'loaded:' .. i, string.rep('y', 400)) end");
    await nexus.admin('track', 'operational', 'REPLICAOF', host, port);
    await until(() => routes.some(({ reason }) => reason === 'loading'), 'reads go to the vault because it loads');
    const ending = Date.now() + 1_000;
    while (Date.now() < ending) expect(await client.operational.get('kept')).toBe('value');
    await readsGoTo(client, 'operational');
    expect(await client.operational.get('loaded:1')).toBe('y'.repeat(400));
    await nexus.admin('track', 'vault', 'CONFIG', 'SET', 'repl-backlog-size', backlog[1] ?? '');
    await nexus.admin('track', 'operational', 'CONFIG', 'SET', 'key-load-delay', '0');
    await nexus.admin('track', 'operational', 'CONFIG', 'SET', 'loading-process-events-interval-bytes', '2097152');
    await client.vault.eval("for i = 1, 1500 do redis.call('DEL', 'loaded:' .. i) end");
  });

  it('lagging beyond the bound: reads go to the vault until it has caught up', async () => {
    await using link = await slowLink(nexus, 'track', 0);
    const client = await clients.open('track', { lagBytesMax: 50_000 });
    const routes = heard(client, 'route');
    await readsGoTo(client, 'operational');
    link.delayMs = 1_500;
    await client.vault.set('lag', 'x'.repeat(100_000));
    await until(() => routes.length > 0, 'another route');
    link.delayMs = 0;
    expect(routes[0]).toMatchObject({ readsFrom: 'vault', reason: 'lagging' });
    expect(routes[0]?.lagBytes).toBeGreaterThan(50_000);
    expect(await client.operational.strLen('lag')).toBe(100_000);
    await readsGoTo(client, 'operational');
    expect(await client.operational.strLen('lag')).toBe(100_000);
    await client.vault.del('lag');
  });

  it('without its link for long: reads go to the vault', async () => {
    const client = await clients.open();
    const routes = heard(client, 'route');
    const [host, port] = await masterOf();
    await nexus.admin('track', 'operational', 'REPLICAOF', '127.0.0.1', String(await freePortBlock(2)));
    await client.vault.set('linkless', 'new');
    await readsGoTo(client, 'vault');
    expect(routes[0]).toMatchObject({ reason: 'link-down', lagBytes: expect.any(Number) as number });
    expect(await client.operational.get('linkless')).toBe('new');
    await nexus.admin('track', 'operational', 'REPLICAOF', host, port);
    await readsGoTo(client, 'operational');
    await client.vault.del('linkless');
  });

  it('of another history: its answers are not taken', async () => {
    const client = await clients.open();
    const routes = heard(client, 'route');
    const [host, port] = await masterOf();
    await nexus.admin('track', 'operational', 'REPLICAOF', 'NO', 'ONE');
    await nexus.admin('track', 'operational', 'SET', 'kept', 'of somebody else');
    await readsGoTo(client, 'vault');
    expect(routes[0]?.reason).toBe('other-history');
    expect(await client.operational.get('kept')).toBe('value');
    await nexus.admin('track', 'operational', 'REPLICAOF', host, port);
    await readsGoTo(client, 'operational');
    expect(await client.operational.get('kept')).toBe('value');
  });

  it('down when the client is made: it begins with the vault', async () => {
    await hands.kill(nexus, 'track', 'operational');
    const client = await clients.open('track', { readYourWrites: true });
    await client.vault.set('begun', '1');
    expect(await client.operational.get('begun')).toBe('1');
    await hands.start(nexus, 'track', 'operational');
    await readsGoTo(client, 'operational');
    await client.vault.del('begun');
  });

  it('down: a write through it is refused all the same, and never reaches the vault', async () => {
    const client = await clients.open();
    const writes = {
      set: () => client.operational.set('misled', 'x'),
      raw: () => client.operational.sendCommand(['sEt', 'misled', 'x']),
      multi: () => client.operational.multi().get('kept').set('misled', 'x').exec(),
      pipeline: () => client.operational.multi().get('kept').set('misled', 'x').execAsPipeline(),
      script: () => client.operational.eval("return redis.call('SET', 'misled', 'x')"),
      graph: () => client.operational.falkordb.query('misled', 'CREATE (:Misled)'),
      getDel: () => client.operational.getDel('kept'),
      sort: () => client.operational.sortStore('kept', 'misled'),
      flush: () => client.operational.flushAll(),
    };
    await allRefused('NOT_A_READ', LATE_MS, writes);
    await hands.kill(nexus, 'track', 'operational');
    await allRefused('NOT_A_READ', LATE_MS, writes);
    await readsGoTo(client, 'vault');
    await allRefused('NOT_A_READ', LATE_MS, writes);
    expect([await isThere('misled'), await valueOf('kept')]).toEqual([0, 'value']);
    await hands.start(nexus, 'track', 'operational');
    await readsGoTo(client, 'operational');
  });
});

describe('the vault', () => {
  it('down: reads go on, writes fail soon, and none of them is done later', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    const events = heard(client, 'vault');
    const [duplicate, pool] = [client.vault.duplicate(), client.vault.createPool({ minimum: 3, maximum: 3 })];
    for (const one of [duplicate, pool]) one.on('error', () => undefined);
    await Promise.all([duplicate.connect(), pool.connect()]);
    await client.vault.set('before', 'acknowledged');
    expect(await client.operational.get('before')).toBe('acknowledged');

    await hands.kill(nexus, 'track', 'vault');
    await until(() => client.state.vault === 'down', 'that it is seen');
    const writes = {
      ...writesOf(client, 'late'),
      duplicate: () => duplicate.set('late:duplicate', 'x'),
      'multi of a duplicate': () => duplicate.multi().set('late:multi of a duplicate', 'x').exec(),
      'pipeline of a duplicate': () => duplicate.multi().set('late:pipeline of a duplicate', 'x').execAsPipeline(),
      pool: () => pool.set('late:pool', 'x'),
      'multi of a pool': () => pool.multi().set('late:multi of a pool', 'x').exec(),
      'pipeline of a pool': () => pool.multi().set('late:pipeline of a pool', 'x').execAsPipeline(),
    };
    const errors = await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, writes);
    expect(errors.map(outcomeOf)).toEqual(errors.map(() => 'refused'));
    // Once it is known, at once.
    await sleep(QUICK.vaultWaitMaxMs);
    await allRefused('VAULT_UNREACHABLE', QUICK.vaultWaitMaxMs + LATE_MS, writes);
    for (let count = 0; count < 20; count += 1) expect(await client.operational.get('before')).toBe('acknowledged');
    expect(client.counters.writesRefused).toBeGreaterThanOrEqual(errors.length);

    await hands.start(nexus, 'track', 'vault');
    await until(() => client.state.vault === 'up', 'that it is back');
    await Promise.all(
      [duplicate, pool].map(async (one, index) => eventually(() => one.set(`back:${String(index)}`, 'x'))),
    );
    await sleep(500);
    expect(await Promise.all(Object.keys(writes).map((name) => isThere(`late:${name}`)))).toEqual(
      Object.keys(writes).map(() => 0),
    );
    expect(await valueOf('before')).toBe('acknowledged');
    expect([events[0]?.state, events.at(-1)?.state]).toEqual(['down', 'up']);
    await client.vault.del(['before', 'back:0', 'back:1']);
  });

  it('silent: what was under way may have been done, what comes later is not sent', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    await client.vault.set('before', '1');
    await hands.freeze(nexus, 'track', 'vault');
    const [first] = await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, {
      set: () => client.vault.set('frozen', 'x'),
    });
    expect(outcomeOf(first)).toBe('unknown');
    const later = await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, writesOf(client, 'unsent'));
    expect(later.map(outcomeOf)).toEqual(later.map(() => 'refused'));
    expect(await client.operational.get('kept')).toBe('value');
    await hands.thaw(nexus, 'track', 'vault');
    await eventually(() => client.vault.set('thawed', 'x'));
    await sleep(300);
    expect(await Promise.all(Object.keys(writesOf(client, '')).map((name) => isThere(`unsent:${name}`)))).toEqual([
      0, 0, 0, 0, 0,
    ]);
    await client.vault.del(['before', 'frozen', 'thawed']);
  });

  it('loading after a start: reads go on, also those that see what was written; writes are refused and not done', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    await client.vault.eval("for i = 1, 1500 do redis.call('SET', 'loaded:' .. i, string.rep('x', 400)) end");
    await nexus.admin('track', 'vault', 'BGREWRITEAOF');
    const persistence = async () => String(await nexus.admin('track', 'vault', 'INFO', 'persistence'));
    await until(
      async () => /aof_rewrite_in_progress:0\r\naof_rewrite_scheduled:0/.test(await persistence()),
      'the rewritten file',
    );
    await client.vault.set('mine', 'written');
    await client.synced();
    await hands.kill(nexus, 'track', 'vault');
    const { configDir } = await nexus.spec('track', 'vault');
    const conf = join(configDir, CONFIG_FILE.redisConf);
    const rendered = await readFile(conf, 'utf8');
    // Some 3 s of it, in which it says so to whoever asks.
    await writeFile(conf, `${rendered}\nkey-load-delay 2000\nloading-process-events-interval-bytes 1024\n`);
    const isLoading = async (): Promise<boolean> =>
      /LOADING/.test(await nexus.admin('track', 'vault', 'PING').then(String, String));
    await hands.start(nexus, 'track', 'vault');
    await until(isLoading, 'that it loads');
    await writeFile(conf, rendered);
    await until(() => client.state.vault === 'up', 'that it is connected');

    const errors = await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, writesOf(client, 'loading'));
    expect(errors.map(outcomeOf)).toEqual(errors.map(() => 'refused'));
    const several = () => client.vault.multi().set('loading:1', 'x').set('loading:2', 'x').execAsPipeline();
    const [ofSeveral] = await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, { several });
    expect(outcomeOf(ofSeveral)).toBe('unknown');
    const { readsFromVault } = client.counters;
    for (let count = 0; count < 20; count += 1) expect(await client.operational.get('mine')).toBe('written');
    expect(client.counters.readsFromVault).toBe(readsFromVault);
    expect(await isLoading(), 'it loads all the while').toBe(true);

    await until(async () => !(await isLoading()), 'that it has loaded');
    await eventually(() => client.vault.set('mine', 'again'));
    expect(await client.operational.get('mine')).toBe('again');
    const names = [...Object.keys(writesOf(client, '')), '1', '2'];
    expect(await Promise.all(names.map((name) => isThere(`loading:${name}`)))).toEqual(names.map(() => 0));
    await client.vault.eval("for i = 1, 1500 do redis.call('DEL', 'loaded:' .. i) end");
    await client.vault.del('mine');
    await readsGoTo(client, 'operational');
  });

  it('down when the client is made: it reads, and writes once it is there', async () => {
    await hands.kill(nexus, 'track', 'vault');
    const client = await clients.open();
    expect(await client.operational.get('kept')).toBe('value');
    await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, writesOf(client, 'early'));
    await hands.start(nexus, 'track', 'vault');
    await eventually(() => client.vault.set('late', '1'));
    await client.vault.del('late');
  });

  it('restarted while Locker is down: the password that is known still opens it', async () => {
    const client = await clients.open();
    await client.vault.set('locker', '0');
    await hands.stop(nexus, 'locker', 'vault');
    await hands.kill(nexus, 'track', 'vault');
    await hands.start(nexus, 'track', 'vault');
    await eventually(() => client.vault.set('locker', '1'));
    await hands.start(nexus, 'locker', 'vault');
    await client.vault.del('locker');
  });

  it('restarted with another password: that is read, and the client goes on', async () => {
    const client = await clients.open();
    await client.vault.set('rotated', '0');
    await hands.stop(nexus, 'track', 'vault');
    expect((await nexus.run('rotate', 'track', '--grace', '0')).code).toBe(0);
    await nexus.report(0, 'up', 'track');
    await eventually(() => client.vault.set('rotated', '1'));
    expect(client.counters.credentialsReread).toBeGreaterThan(0);
    expect(await client.operational.get('kept')).toBe('value');
    await client.vault.del('rotated');
  });
});

describe('both', () => {
  it('down: each call is refused in bounded time, and works again afterwards', async () => {
    const client = await clients.open('track', { readYourWrites: true });
    await hands.kill(nexus, 'track', 'operational');
    await hands.kill(nexus, 'track', 'vault');
    await allRefused('ENVIRONMENT_UNREACHABLE', REFUSED_WITHIN_MS, {
      get: () => client.operational.get('kept'),
      multi: () => client.operational.multi().get('kept').exec(),
      graph: () => client.graph('nothing').roQuery('RETURN 1'),
    });
    await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, writesOf(client, 'none'));
    const synced = { synced: () => client.synced({ timeoutMs: 1_000 }) };
    const [unsynced] = await allRefused('VAULT_UNREACHABLE', 1_000 + LATE_MS, synced);
    // What was acknowledged before it is done: "not sent" would have a caller write it once more.
    expect(unsynced?.outcome).toBeUndefined();
    await hands.start(nexus, 'track', 'vault');
    await hands.start(nexus, 'track', 'operational');
    await eventually(() => client.operational.get('kept'));
    await readsGoTo(client, 'operational');
  });

  it('down when the client is made: refused with a reason, in bounded time', async () => {
    await hands.kill(nexus, 'track', 'operational');
    await hands.kill(nexus, 'track', 'vault');
    const { error, ms } = await refusalOf(() => clients.open());
    expect(error.code).toBe('ENVIRONMENT_UNREACHABLE');
    expect(ms).toBeLessThan(5_000 + LATE_MS);
    await hands.start(nexus, 'track', 'vault');
    await hands.start(nexus, 'track', 'operational');
    await until(async () => (await nexus.findings('track')).length === 0, 'the link');
  });

  it('silent when the client is made: refused as well', async () => {
    await hands.freeze(nexus, 'track', 'operational');
    await hands.freeze(nexus, 'track', 'vault');
    const { error, ms } = await refusalOf(() => clients.open()).finally(async () => {
      await hands.thaw(nexus, 'track', 'vault');
      await hands.thaw(nexus, 'track', 'operational');
    });
    expect(error.code).toBe('ENVIRONMENT_UNREACHABLE');
    expect(ms).toBeLessThan(5_000 + LATE_MS);
  });
});

describe('without nexus3.yaml', () => {
  async function urls() {
    const [vault, operational] = [await nexus.spec('track', 'vault'), await nexus.spec('track', 'operational')].map(
      (spec) => hostAddress(spec).port,
    );
    const password = encodeURIComponent(await nexus.password('track'));
    return {
      vault: `redis://default:${password}@127.0.0.1:${String(vault)}`,
      operational: `redis://127.0.0.1:${String(operational)}`,
    };
  }

  it('two URLs make the same client', async () => {
    const client = clients.keep(await connect.fromUrl(await urls(), { ...QUICK, readYourWrites: true }));
    await client.vault.set('by url', '1');
    expect(await client.operational.get('by url')).toBe('1');
    await hands.kill(nexus, 'track', 'operational');
    expect(await client.operational.get('by url')).toBe('1');
    await hands.start(nexus, 'track', 'operational');
    await readsGoTo(client, 'operational');
    await client.vault.del('by url');
  });

  it('a wrong password, and servers that are not there, are said without the password', async () => {
    const { vault, operational } = await urls();
    const wrong = vault.replace(/:[^:@]*@/, ':a-wrong-password@');
    const client = await connect.fromUrl({ vault: wrong, operational }, QUICK).then(
      (opened) => clients.keep(opened),
      (error: unknown) => error,
    );
    const told =
      'vault' in (client as object)
        ? (await refusalOf(() => (client as EnvironmentClient).vault.set('k', 'v'))).error
        : client;
    expect(told).toMatchObject({ name: 'Nexus3Error', code: expect.stringMatching(/_UNREACHABLE$/) as string });
    expect(JSON.stringify(told) + String(told)).not.toContain('a-wrong-password');

    const nobody = await freePortBlock(2);
    const { error, ms } = await refusalOf(() =>
      connect.fromUrl(
        {
          vault: `redis://default:secret-word@127.0.0.1:${String(nobody)}`,
          operational: `redis://127.0.0.1:${String(nobody + 1)}`,
        },
        QUICK,
      ),
    );
    expect(error.code).toBe('ENVIRONMENT_UNREACHABLE');
    expect(ms).toBeLessThan(5_000 + LATE_MS);
    expect(JSON.stringify(error) + error.evidence.join('') + error.message).not.toContain('secret-word');
  });
});

describe('a Secure Environment', () => {
  it('has the same interface, and its vault answers everything', async () => {
    const client = await clients.open('user', { readYourWrites: true });
    expect([client.kind, client.state]).toEqual(['secure', { vault: 'up', operational: 'none', readsFrom: 'vault' }]);
    await client.vault.set('k', '1');
    expect(await client.operational.get('k')).toBe('1');
    await client.graph('g').query('CREATE (:Secure {n: 1})');
    expect((await client.graph('g').roQuery('MATCH (s:Secure) RETURN s.n AS n')).data).toEqual([{ n: 1 }]);
    expect(await client.graphs()).toEqual(['g']);
    await client.synced();
    await allRefused('NOT_A_READ', LATE_MS, { set: () => client.operational.set('k', '2') });
    expect(await client.operational.get('k')).toBe('1');

    await hands.kill(nexus, 'user', 'vault');
    await allRefused('ENVIRONMENT_UNREACHABLE', REFUSED_WITHIN_MS, { get: () => client.operational.get('k') });
    await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, { set: () => client.vault.set('k', '3') });
    await hands.start(nexus, 'user', 'vault');
    await eventually(() => client.vault.set('k', '4'));
    expect(await client.operational.get('k')).toBe('4');
  });

  it('silent: nothing waits for longer than the bound, and it goes on when it is back', async () => {
    const client = await clients.open('user');
    const events = heard(client, 'vault');
    await client.vault.set('k', '1');
    await hands.freeze(nexus, 'user', 'vault');
    try {
      const [first] = await allRefused('VAULT_UNREACHABLE', REFUSED_WITHIN_MS, {
        set: () => client.vault.set('k', '2'),
      });
      expect(outcomeOf(first)).toBe('unknown');
      await allRefused('ENVIRONMENT_UNREACHABLE', REFUSED_WITHIN_MS, { get: () => client.operational.get('k') });
      expect([client.state.vault, events[0]?.state]).toEqual(['down', 'down']);
    } finally {
      await hands.thaw(nexus, 'user', 'vault');
    }
    await eventually(() => client.vault.set('k', '3'));
    expect(await client.operational.get('k')).toBe('3');
    expect(client.counters.routeChanges).toBe(0);
  });

  it('that protocol v1.0 does not know is one also for who has nothing but a token', async () => {
    const token = join(nexus.root, 'hidden.token');
    expect((await nexus.run('locker', 'grant', 'hidden', '--out', token)).code).toBe(0);
    const client = clients.keep(
      await connect('hidden', { ...QUICK, token, surroundings: { cwd: nexus.root, env: {} } }),
    );
    expect([client.kind, client.state.operational, client.state.readsFrom]).toEqual(['secure', 'none', 'vault']);
    await client.vault.set('k', '1');
    expect(await client.operational.get('k')).toBe('1');
  });
});

/** Host and port that the operational copies from. */
async function masterOf(): Promise<readonly [string, string]> {
  const role = (await nexus.admin('track', 'operational', 'ROLE')) as readonly (string | number)[];
  return [String(role[1]), String(role[2])];
}

/** The client comes back by itself, soon. */
async function eventually(work: () => Promise<unknown>): Promise<void> {
  await until(
    () =>
      work().then(
        () => true,
        () => false,
      ),
    'that it works again',
  );
}
