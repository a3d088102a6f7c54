/** Lockers as a user has them, through the command line and against real servers. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../support/command.js';
import type { CliResult } from '../support/nexus.js';
import { Nexus } from '../support/nexus.js';
import { chance, instant, rounds, SEED } from '../support/random.js';

const MINUTES = 60_000;
const KILLS_IN_CI = 5;
const KILLS_IN_SOAK = 100;
/** All that is printable in ASCII, quotes and backslashes among it. */
const PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');
const ODD_VALUES: readonly string[] = [
  PRINTABLE,
  ' leading and trailing ',
  'one\ntwo\r\nthree\n',
  '\n',
  '\t\u0001\u001b[2J',
  'äöü€ 漢字 😀 \u202e e\u0301 \ufeff',
  '"\'`$(date) %s \\n \\ {"a": null}',
  '-',
  '--json',
  'a'.repeat(1_024),
  '€'.repeat(341) + 'x',
  'b'.repeat(32_768),
];

let nexus: Nexus;
beforeAll(async () => {
  nexus = await Nexus.make({
    runtime: 'process',
    environments: {},
    yaml: 'settings: { appendfsync: always }',
  });
  await nexus.report(0, 'up');
}, MINUTES);
afterAll(() => nexus[Symbol.asyncDispose]());

const piped = (stdin: string | Buffer, ...args: readonly string[]): Promise<CliResult> =>
  nexus.runWith({ stdin }, ...args);

async function good(result: Promise<CliResult>): Promise<string> {
  const { code, out, err } = await result;
  expect(code, err).toBe(0);
  return out;
}

async function json(result: Promise<CliResult>): Promise<Record<string, unknown>> {
  return JSON.parse(await good(result)) as Record<string, unknown>;
}

/** All that lies in Locker’s Redis, as its own client prints it. */
async function dump(): Promise<string> {
  const keys = (await nexus.admin('locker', 'vault', 'KEYS', '*')) as readonly string[];
  const hashes = keys.filter((key) => /:ids$|:meta$|:values$|:env:/.test(key));
  const contents = await Promise.all(hashes.map((key) => nexus.admin('locker', 'vault', 'HGETALL', key)));
  return contents.flat().join('\n');
}

it(
  'an API key is stored, noted, replaced, restored, searched, renamed, revealed and deleted',
  async () => {
    const made = await json(nexus.run('locker', 'create', 'stripe', '--description', 'payments, live', '--json'));
    const id = String(made['id']);
    expect(made).toMatchObject({ schema: 'nexus3.locker/1', ok: true, name: 'stripe', keys: [] });
    const printed: string[] = [];
    const step = async (result: Promise<CliResult>): Promise<string> => {
      const { code, out, err } = await result;
      expect(code, err).toBe(0);
      printed.push(out, err);
      return out;
    };
    expect(await step(piped('sk_first_secret\n', 'locker', 'set', 'stripe', 'api-key'))).toBe(
      `${id} (stripe): api-key (version 1)\n`,
    );
    await step(nexus.run('locker', 'edit', id, '--notes', 'ask Ada\nbefore use'));
    await step(piped('sk_second_secret', 'locker', 'set', 'stripe', 'api-key'));
    expect(await good(nexus.run('locker', 'reveal', 'stripe', 'api-key'))).toBe('sk_second_secret\n');
    await step(nexus.run('locker', 'restore', 'stripe', 'api-key'));
    expect(await good(nexus.run('locker', 'reveal', id, 'api-key'))).toBe('sk_first_secret\n');
    expect(await step(nexus.run('locker', 'search', 'ADA'))).toBe(`${id} stripe\n  in notes\n`);
    await step(nexus.run('locker', 'rename', 'stripe', 'Stripe live'));
    const shown = await step(nexus.run('locker', 'show', id));
    expect(shown).toContain(`${id} Stripe live\n  payments, live\n`);
    expect(shown).toContain('  | ask Ada\n  | before use\n');
    expect(shown).toMatch(/api-key +1 +\d{4}-\d\d-\d\d \d\d:\d\d +the one before is kept/);
    expect(await step(nexus.run('locker', 'list'))).toContain('Stripe live');
    expect(await step(nexus.run('locker', 'search', 'secret'))).toContain('Nothing was found');
    expect(await json(nexus.run('locker', 'reveal', id, 'api-key', '--json'))).toMatchObject({
      ...{ schema: 'nexus3.reveal/1', ok: true, id, name: 'Stripe live', key: 'api-key', version: 1 },
      value: 'sk_first_secret',
    });
    await step(nexus.run('locker', 'delete', id, 'api-key'));
    expect((await nexus.run('locker', 'reveal', id, 'api-key')).err).toContain(`nexus3 locker restore ${id} api-key`);
    await step(nexus.run('locker', 'restore', id, 'api-key'));
    const unasked = await nexus.run('locker', 'delete', id);
    expect([unasked.code, unasked.err]).toEqual([2, expect.stringContaining(`nexus3 locker delete ${id} --yes`)]);
    expect((await nexus.run('locker', 'delete', id, 'api-key', '--for-good')).code).toBe(2);
    expect(await dump()).not.toMatch(/sk_(first|second)_secret/);
    await step(nexus.run('locker', 'delete', id, '--yes'));
    const gone = await nexus.run('locker', 'show', id, '--json');
    expect(JSON.parse(gone.out)).toMatchObject({ error: { code: 'LOCKER_UNKNOWN', evidence: [`${id} was deleted`] } });
    expect(printed.join('\n')).not.toMatch(/sk_(first|second)_secret/);
  },
  MINUTES,
);

describe('any value', () => {
  it(
    'is revealed just as it was stored, one by one',
    async () => {
      await good(nexus.run('locker', 'create', 'odd'));
      for (const [index, value] of ODD_VALUES.entries()) {
        const key = `one-${String(index)}`;
        await good(piped(value, 'locker', 'set', 'odd', key, '--exact'));
        expect(await good(nexus.run('locker', 'reveal', 'odd', key))).toBe(`${value}\n`);
      }
      await good(piped('without the last break\n', 'locker', 'set', 'odd', 'plain'));
      expect(await good(nexus.run('locker', 'reveal', 'odd', 'plain'))).toBe('without the last break\n');
    },
    MINUTES,
  );

  it(
    'and several in one change',
    async () => {
      const object = Object.fromEntries(ODD_VALUES.map((value, index) => [`many-${String(index)}`, value]));
      await good(nexus.run('locker', 'create', 'odd many'));
      const { changed } = await json(piped(JSON.stringify(object), 'locker', 'set', 'odd many', '--many', '--json'));
      expect(changed).toEqual(Object.keys(object));
      for (const [key, value] of Object.entries(object)) {
        const revealed = await json(nexus.run('locker', 'reveal', 'odd many', key, '--json'));
        expect(revealed['value']).toBe(value);
      }
      const replaced = { ...object, 'many-0': null, 'many-1': 'other', new: 'one more' };
      const again = await json(piped(JSON.stringify(replaced), 'locker', 'set', 'odd many', '--many', '--json'));
      expect(again['changed']).toEqual(['many-0', 'many-1', 'new']);
      const stored = await dump();
      for (const value of ODD_VALUES.filter(({ length }) => length > 8)) expect(stored.includes(value)).toBe(false);
    },
    MINUTES,
  );
});

describe('nonsense on stdin is refused whole, with every mistake, and never shown', () => {
  const SECRET = 'hunter2-hunter2';
  const tampering = (): Buffer => Buffer.concat([Buffer.from(SECRET), Buffer.from([0xc3, 0x28, 0xff])]);
  beforeAll(async () => {
    await good(nexus.run('locker', 'create', 'attacked'));
    await good(piped('before', 'locker', 'set', 'attacked', 'k'));
  });

  it.each<readonly [string, string | Buffer, readonly string[], string, number]>([
    ['nothing', '', ['k'], 'USAGE', 0],
    ['a line break', '\n', ['k'], 'USAGE', 0],
    ['no UTF-8', tampering(), ['k'], 'USAGE', 0],
    ['10 MB', SECRET.repeat(700_000), ['k'], 'USAGE', 0],
    ['too much for a value', SECRET.repeat(2_200), ['k'], 'LOCKER_INPUT_INVALID', 1],
    ['a NUL', `${SECRET}\0`, ['k'], 'LOCKER_INPUT_INVALID', 1],
    ['a key like a field', SECRET, ['value:k'], 'LOCKER_INPUT_INVALID', 1],
    ['a key of the language', SECRET, ['__proto__'], 'LOCKER_INPUT_INVALID', 1],
    ['no JSON', `{"k": "${SECRET}"`, ['--many'], 'LOCKER_INPUT_INVALID', 1],
    ['garbage', randomBytes(100), ['--many'], 'USAGE', 0],
    ['a word', SECRET, ['--many'], 'LOCKER_INPUT_INVALID', 1],
    ['a list', `["${SECRET}"]`, ['--many'], 'LOCKER_INPUT_INVALID', 1],
    ['no object', 'null', ['--many'], 'LOCKER_INPUT_INVALID', 1],
    ['an empty object', '{}', ['--many'], 'LOCKER_INPUT_INVALID', 1],
    ['a key twice', `{"k": "${SECRET}", "\\u006b": "x"}`, ['--many'], 'LOCKER_INPUT_INVALID', 1],
    [
      'everything at once',
      `{"k": "${SECRET}", "a": 1, "b": ["${SECRET}"], "c": {"k": "${SECRET}"}, "d": true, "d": null, "value:k": "x", "e": ""}`,
      ['--many'],
      'LOCKER_INPUT_INVALID',
      6,
    ],
    [
      'bad keys and bad values',
      `{"__proto__": "x", "value:k": "x", "k": "${SECRET}", "a": "", "b": "${SECRET}\\u0000", "c": "\\ud800"}`,
      ['--many'],
      'LOCKER_INPUT_INVALID',
      5,
    ],
    ['10 MB of JSON', `{"k": "${SECRET.repeat(700_000)}"}`, ['--many'], 'USAGE', 0],
    ['a key beside --many', '{"k": "x"}', ['k', '--many'], 'USAGE', 0],
    ['no key', SECRET, [], 'USAGE', 0],
    ['a value as an argument', '', ['k', SECRET], 'USAGE', 0],
  ])('%s', async (_, stdin, args, code, mistakes) => {
    const { out, err } = await piped(stdin, 'locker', 'set', 'attacked', ...args, '--json');
    const { error } = JSON.parse(out) as { error: { code: string; evidence: readonly string[] } };
    expect([error.code, error.evidence.length], out).toEqual([code, mistakes]);
    expect(out + err).not.toContain('hunter2');
    expect(await good(nexus.run('locker', 'reveal', 'attacked', 'k'))).toBe('before\n');
    const { keys } = await json(nexus.run('locker', 'show', 'attacked', '--json'));
    expect(keys).toHaveLength(1);
  });
});

describe('two commands at once', () => {
  it('of the same name: one makes it, the other says so', async () => {
    const both = await Promise.all([1, 2].map(() => runCommand(nexus, ['locker', 'create', 'twin'])));
    expect(both.map(({ code }) => code).toSorted(), both.map(({ output }) => output).join()).toEqual([0, 2]);
  });

  it('each set whole', async () => {
    const object = (value: string): string =>
      JSON.stringify(Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`k${String(index)}`, value])));
    await good(nexus.run('locker', 'create', 'both'));
    const both = await Promise.all(
      ['x', 'y'].map((value) => runCommand(nexus, ['locker', 'set', 'both', '--many'], undefined, object(value))),
    );
    expect(both.map(({ code }) => code)).toEqual([0, 0]);
    expect(new Set(await valuesOf('both')).size).toBe(1);
  });
});

/** Of every key, in one run of nexus3. */
async function valuesOf(locker: string): Promise<readonly string[]> {
  await using world = await nexus.world();
  const lockers = await world.locker.lockers();
  const { keys } = await lockers.show(locker);
  return await Promise.all(keys.map(async ({ name }) => (await lockers.reveal(locker, name)).value.reveal()));
}

it(
  'a set of many that is killed at any instant has changed all of them, or none, and can be run again',
  async () => {
    const kills = rounds(KILLS_IN_CI, KILLS_IN_SOAK);
    const random = chance(SEED);
    const set = (round: number, killAfterMs?: number): ReturnType<typeof runCommand> => {
      const keys = Array.from({ length: 100 }, (_, index) => [`k${String(index)}`, `value of round ${String(round)}`]);
      return runCommand(
        nexus,
        ['locker', 'set', 'killed', '--many'],
        killAfterMs,
        JSON.stringify(Object.fromEntries(keys)),
      );
    };
    await good(nexus.run('locker', 'create', 'killed'));
    const usual = await set(0);
    expect(usual.code, usual.output).toBe(0);
    for (let kill = 1; kill <= kills; kill += 1) {
      // The first half of the time goes into starting up.
      const afterMs = Math.floor(instant(random, kill - 1, kills, 0.4) * usual.ms);
      const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usual.ms.toFixed(0)} ms`;
      await set(kill, afterMs);
      const found = new Set(await valuesOf('killed'));
      expect([...found], where).toHaveLength(1);
      const again = await set(kill);
      expect(again.code, `${where}\n${again.output}`).toBe(0);
      expect(new Set(await valuesOf('killed')), where).toEqual(new Set([`value of round ${String(kill)}`]));
    }
  },
  rounds(KILLS_IN_CI, KILLS_IN_SOAK) * MINUTES,
);
