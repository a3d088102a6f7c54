/** Passwords of an environment that somebody brings along: stored in Locker, put in force, taken back. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/break.js';
import type { CliResult } from '../support/nexus.js';
import { findingOf, Nexus } from '../support/nexus.js';

const MINUTES = 60_000;
const ALL_PRINTABLE = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index)).join('');

/** What a password of somebody else’s may be; each ends as no other, because each user has its own. */
const oddPassword = (end: string): string => `${ALL_PRINTABLE}\n\t"'\\x41 #${'ä€😀'.repeat(20)} \r\n${end} `;
const longest = (end: string): string => `${'"'.repeat(1_024 - end.length)}${end}`;

let nexus: Nexus;
beforeAll(async () => {
  nexus = await Nexus.make({
    runtime: 'process',
    environments: { track: 'standard', user: 'secure' },
    yaml: 'settings: { appendfsync: always }',
  });
  await nexus.report(0, 'up');
}, 2 * MINUTES);
afterAll(() => nexus[Symbol.asyncDispose]());

async function good(result: Promise<CliResult>): Promise<string> {
  const { code, out, err } = await result;
  expect(code, `${err}\n${out}`).toBe(0);
  return out;
}

const setPassword = (key: string, value: string): Promise<string> =>
  good(nexus.runWith({ stdin: value }, 'locker', 'set', 'l_e0dd', key, '--exact'));

async function opens(password: string): Promise<boolean> {
  return (await nexus.asApplication('track', password, 'PING')) === 'PONG';
}

async function replicates(value: string): Promise<void> {
  const password = (await nexus.run('locker', 'reveal', 'l_e0dd', 'track.default')).out.slice(0, -1);
  expect(await nexus.asApplication('track', password, 'SET', 'k', value)).toBe('OK');
  await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'k')) === value, 'replication');
}

it(
  'of applications: check says that another is in force, --fix puts it there, restore brings the one before back',
  async () => {
    const before = await nexus.password('track');
    const imported = oddPassword('default');
    expect(await setPassword('track.default', imported)).toContain('Next: nexus3 check track --fix');
    expect([await opens(before), await opens(imported)]).toEqual([true, false]);
    const report = await nexus.report(1, 'check', 'track');
    expect(findingOf(report, 'track', 'config-drift')).toMatchObject({ fixable: true, instance: 'vault' });
    await nexus.report(0, 'check', 'track', '--fix');
    expect([await opens(before), await opens(imported)]).toEqual([false, true]);
    expect((await nexus.run('credentials', 'get', 'track')).out).toBe(`${imported}\n`);
    await replicates('one');
    expect(await good(nexus.run('locker', 'restore', 'l_e0dd', 'track.default'))).toContain('check track --fix');
    expect(await nexus.findings('track')).toEqual(['config-drift vault']);
    await nexus.report(0, 'check', 'track', '--fix');
    expect([await opens(before), await opens(imported)]).toEqual([true, false]);
    await good(nexus.run('locker', 'restore', 'l_e0dd', 'track.default'));
    await nexus.report(0, 'check', 'track', '--fix');
    expect([await opens(before), await opens(imported)]).toEqual([false, true]);
  },
  2 * MINUTES,
);

it.each([
  ['odd', oddPassword('replicator')],
  ['the longest', longest('replicator')],
])(
  'of the replicator, %s: the operational links with it, also after a restart',
  async (_, imported) => {
    await setPassword('track.replicator', imported);
    expect(await nexus.findings('track')).toEqual(['config-drift operational', 'config-drift vault']);
    await nexus.report(0, 'check', 'track', '--fix');
    expect(await nexus.admin('track', 'operational', 'CONFIG', 'GET', 'masterauth')).toEqual(['masterauth', imported]);
    await replicates(`with ${imported.length.toFixed()}`);
    await good(nexus.run('down', 'track'));
    await nexus.report(0, 'up', 'track');
    await replicates(`again with ${imported.length.toFixed()}`);
    await good(nexus.run('locker', 'restore', 'l_e0dd', 'track.replicator'));
    await nexus.report(0, 'check', 'track', '--fix');
    await replicates(`without ${imported.length.toFixed()}`);
  },
  3 * MINUTES,
);

it(
  'of the administrators: they lock nexus3 out until the next start, as check says',
  async () => {
    const object = { 'track.admin': oddPassword('admin'), 'track.operational-admin': longest('operational') };
    await good(nexus.runWith({ stdin: JSON.stringify(object) }, 'locker', 'set', 'l_e0dd', '--many'));
    const report = await nexus.report(1, 'check', 'track');
    const { remedy, fixable } = findingOf(report, 'track', 'password-mismatch');
    expect([fixable, remedy]).toEqual([false, expect.stringContaining('nexus3 down track, then nexus3 up track')]);
    await good(nexus.run('down', 'track'));
    await nexus.report(0, 'up', 'track');
    await nexus.report(0, 'check', 'track');
    await replicates('under new administrators');
  },
  3 * MINUTES,
);

it(
  'of all users at once, the longest there may be, before the first start and after',
  async () => {
    const users = ['default', 'admin', 'replicator', 'backup', 'operational-admin'];
    const object = Object.fromEntries(users.map((user) => [`track.${user}`, `${'€'.repeat(300)} ${user}`]));
    await good(nexus.runWith({ stdin: JSON.stringify(object) }, 'locker', 'set', 'l_e0dd', '--many'));
    await good(nexus.run('down', 'track'));
    await nexus.report(0, 'up', 'track');
    for (const user of users)
      expect((await nexus.run('credentials', 'get', 'track', '--user', user)).out).toBe(
        `${object[`track.${user}`] ?? ''}\n`,
      );
    await replicates('with all of them');
  },
  3 * MINUTES,
);

describe('refused, and nothing is changed:', () => {
  it.each<readonly [string, readonly string[], string, string]>([
    ['an unknown environment', ['set', 'l_e0dd', 'trakc.default'], 'LOCKER_INPUT_INVALID', 'did you mean \\"track\\"'],
    ['an unknown user', ['set', 'l_e0dd', 'track.amdin'], 'LOCKER_INPUT_INVALID', 'did you mean \\"admin\\"'],
    ['Locker itself', ['set', 'l_e0dd', 'locker.default'], 'LOCKER_INPUT_INVALID', 'root key'],
    ['what is needed', ['delete', 'l_e0dd', 'track.default'], 'LOCKER_REFUSED', 'nexus3 rotate track'],
    ['what is needed, for good', ['delete', 'l_e0dd', 'user.admin', '--for-good', '--yes'], 'LOCKER_REFUSED', 'user'],
    ['all of them', ['delete', 'l_e0dd', '--yes'], 'LOCKER_REFUSED', 'passwords of all environments'],
    ['another name', ['rename', 'environments', 'x'], 'LOCKER_REFUSED', 'l_e0dd'],
    ['an unknown key', ['reveal', 'l_e0dd', 'user.defalut'], 'LOCKER_KEY_UNKNOWN', ''],
    ['an unknown locker', ['reveal', 'enviroments', 'x'], 'LOCKER_UNKNOWN', 'did you mean \\"environments\\"'],
    ['nothing to restore', ['restore', 'l_e0dd', 'user.default'], 'LOCKER_KEY_UNKNOWN', 'value before the last'],
  ])('%s', async (_, args, code, says) => {
    const before = (await nexus.run('locker', 'show', 'l_e0dd', '--json')).out;
    const { out } = await nexus.runWith({ stdin: 'hunter2' }, 'locker', ...args, '--json');
    expect(JSON.parse(out)).toMatchObject({ schema: 'nexus3.error/1', error: { code } });
    expect(out).toContain(says);
    expect((await nexus.run('locker', 'show', 'l_e0dd', '--json')).out).toBe(before);
  });

  it('while a rotation is under way, with how to finish it', async () => {
    await using world = await nexus.world();
    const store = await world.locker.open();
    await store.prepareRotation('user', ['default'], world.clock.now());
    expect((await nexus.run('locker', 'show', 'l_e0dd')).out).toContain('being rotated');
    for (const args of [
      ['set', 'l_e0dd', 'user.admin'],
      ['restore', 'l_e0dd', 'user.default'],
    ]) {
      const { code, err } = await nexus.runWith({ stdin: 'hunter2' }, 'locker', ...args);
      expect([code, err]).toEqual([1, expect.stringContaining('nexus3 rotate user')]);
    }
    await store.promoteRotation('user', world.clock.now(), world.clock.now());
    await store.finishRotation('user');
    await good(nexus.run('locker', 'restore', 'l_e0dd', 'user.default'));
  });
});
