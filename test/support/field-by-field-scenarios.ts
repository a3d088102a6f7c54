/**
 * Everything that a vault may hold is backed up, verified, lost, and restored: from the backup, and to a second of the past.
 * Afterwards vault and operational hold the same, field by field, as a reader says that shares no code with nexus3.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/protocol/environment.js';
import { hostAddress } from '../../src/reconcile/access.js';
import type { Contents } from './data-set/contents.js';
import { differences } from './data-set/contents.js';
import { until } from './break.js';
import { fill, SHORT_LIVED } from './data-set/fill.js';
import { readEverything } from './data-set/read-everything.js';
import type { Answer, Door } from './data-set/wire.js';
import { Wire } from './data-set/wire.js';
import type { NexusOptions } from './nexus.js';
import { Nexus } from './nexus.js';
import { SEED } from './random.js';

/** What goes by itself. */
const SHORT_LIFE_MS = 3_000;
const WHAT_GOES = /"ttl:short|^db0 keys/;
/**
 * A replayed append-only file says what a consumer was given, but not when it asked (measured, Redis 8.2.3): its times
 * are those of the replay.
 */
const WHAT_GOES_OR_IS_NOT_WRITTEN_DOWN = /"ttl:short|^db0 keys| consumer .* (seen-time|active-time)$/;
const SECOND_MS = 1_000;
const MINUTES = 60_000;

export interface FieldByField {
  /** Of the data, about. */
  readonly bytes: number;
}

export function describeFieldByField(options: NexusOptions, { bytes }: FieldByField): void {
  let nexus: Nexus;
  let seen: Contents;
  let filledAt: Date;

  beforeAll(async () => {
    nexus = await Nexus.make({ ...options, yaml: 'backup: {}' });
    await nexus.report(0, 'up');
    await fill(await doorOf('vault'), { seed: SEED, bytes, shortLifeMs: SHORT_LIFE_MS });
    // What was written in this second is in; the next one is another.
    filledAt = new Date(Math.floor(Date.now() / SECOND_MS) * SECOND_MS);
    const { code, out, err } = await nexus.run('backup', 'create', 'track');
    expect(code, out + err).toBe(0);
    await theShortLivedAreGone();
    seen = await readEverything(await doorOf('vault'));
  }, 3 * MINUTES);

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  async function doorOf(role: Role): Promise<Door> {
    const password = await nexus.password('track', role === 'vault' ? 'admin' : 'operational-admin');
    return { socket: hostAddress(await nexus.spec('track', role)), username: 'admin', password };
  }

  /** Backed up while they were there; but what goes while it is read is neither there nor gone. */
  async function theShortLivedAreGone(): Promise<void> {
    await using wire = await Wire.open(await doorOf('vault'));
    const count = (): Promise<Answer> => wire.ask('EXISTS', SHORT_LIVED.key, SHORT_LIVED.emptied);
    await until(async () => (await count()) === '0', 'the end of what lives shortly');
  }

  /** Everything goes, and something else is there. */
  async function lose(): Promise<void> {
    await sleep(SECOND_MS);
    await using wire = await Wire.open(await doorOf('vault'));
    await wire.ask('FLUSHALL');
    await wire.ask('FUNCTION', 'FLUSH');
    await wire.ask('GRAPH.UDF', 'DELETE', 'words');
    await wire.ask('SET', 'string:plain', 'junk');
    await wire.ask('GRAPH.QUERY', 'graph:small', "CREATE (:Junk {name: 'junk'})");
  }

  async function restored(...how: readonly string[]): Promise<void> {
    const { code, out, err } = await nexus.run('restore', 'track', ...how, '--yes', '--json');
    expect(code, out + err).toBe(0);
  }

  /** On both instances. */
  async function holdsWhatWasSeen(without: RegExp): Promise<void> {
    const expected = new Map([...seen].filter(([path]) => !without.test(path)));
    const doors = { vault: await doorOf('vault'), operational: await doorOf('operational') };
    const [vault, operational] = await Promise.all([
      readEverything(doors.vault, { without }),
      readEverything(doors.operational, { without }),
    ]);
    expect(differences(expected, vault), 'the vault').toEqual([]);
    expect(differences(expected, operational), 'the operational').toEqual([]);
    await using wire = await Wire.open(await doorOf('vault'));
    const gone = await wire.ask('EXISTS', SHORT_LIVED.key, SHORT_LIVED.emptied);
    expect(gone, 'what has lived its time does not come back').toBe('0');
    expect(await wire.ask('HEXISTS', SHORT_LIVED.hash, SHORT_LIVED.field)).toBe('0');
    const twice = wire.ask('GRAPH.QUERY', 'graph:small', 'CREATE (:Person {id: 1})');
    await expect(twice, 'a constraint that is in force').rejects.toThrow(/unique constraint/i);
    expect(await nexus.findings('track')).toEqual([]);
  }

  it('what was backed up is verified, in a server that has loaded it', async () => {
    const { code, out, err } = await nexus.run('backup', 'verify', 'track');
    expect(code, out + err).toBe(0);
  });

  it(
    'restored to the second before everything was lost: equal, field by field',
    async () => {
      await lose();
      await restored('--at', filledAt.toISOString().replace('.000Z', 'Z'));
      await holdsWhatWasSeen(WHAT_GOES_OR_IS_NOT_WRITTEN_DOWN);
    },
    2 * MINUTES,
  );

  it(
    'restored from the backup: equal, field by field',
    async () => {
      await lose();
      await restored();
      await holdsWhatWasSeen(WHAT_GOES);
    },
    2 * MINUTES,
  );

  describe('the comparison itself', () => {
    it('would have seen one field that differs', async () => {
      await using wire = await Wire.open(await doorOf('vault'));
      await wire.ask('HSET', 'hash:table', 'field 5', 'another');
      const held = await readEverything(await doorOf('vault'));
      const expected = new Map([...seen].filter(([path]) => !WHAT_GOES.test(path)));
      const named = differences(expected, held).filter((line) => !WHAT_GOES.test(line));
      expect(named).toEqual([expect.stringContaining('db0 hash "hash:table" field "field 5": "another"')]);
    });
  });
}
