/** What somebody may try on the care server, over whichever transport. After each of it the server answers, and nothing has changed. */
import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { callTool } from './call-tool.js';
import type { TransportName } from './mcp-client.js';
import { connected } from './mcp-client.js';
import type { Nexus } from './nexus.js';
import { findIn, passwordsOf } from './secret-hunt.js';
import { storeDigest } from './store-digest.js';

const PARALLEL_CALLS = 1_000;
/** Of those, one in so many asks the servers; the others read what lies in folders. */
const ASKING_EACH = 10;
/** Over HTTP a request waits for so long, and no longer. */
const TOO_MANY = /too many calls/i;
const LEVELS = 500;

const REFUSED: readonly (readonly [tool: string, args: object, says: RegExp])[] = [
  ['check', { environments: ['track\nlocker'] }, /^ENVIRONMENT_UNKNOWN: /],
  ['check', { environments: ['../locker'] }, /^ENVIRONMENT_UNKNOWN: /],
  ['check', { environments: [''] }, /environments/],
  ['check', { environments: Array.from({ length: 1_001 }, () => 'track') }, /environments/],
  ['status', { environments: nested() }, /environments/],
  ['status', { cursor: 'x'.repeat(1_000) }, /cursor/],
  ['plan_fix', { limit: 1e9 }, /limit/],
  ['apply_fix', { plan: 'p_000000000000' }, /^PLAN_CHANGED: /],
  ['apply_fix', { plan: 'p_000000000000\n', environments: ['track'] }, /plan/],
  ['recover', { environment: '--vault' }, /^ENVIRONMENT_UNKNOWN: /],
  ['recover', { environment: 'track', acceptLoss: true }, /acceptLoss/],
  ['backup_create', { environments: ['track'], root: '/tmp' }, /root/],
  ['restore_preview', { environment: 'track', id: '../../../etc/passwd' }, /^(BACKUP_NOT_FOUND|USAGE): /],
  ['restore_preview', { environment: 'track', into: '../track' }, /^[A-Z_]+: /],
  ['rotate', { environments: ['track'], users: ['root'] }, /users/],
  ['rotate', { all: true, graceSeconds: 1e9 }, /graceSeconds/],
  ['locker_reveal', { environment: 'track' }, /locker_reveal/],
  ['__proto__', {}, /./],
];

/** @param nexus with `track`, which is standard and up */
export function controlAttackTour(nexus: () => Nexus, transport: TransportName): void {
  it('bears what somebody may try: nothing is changed or told, and the next call is answered', async () => {
    const passwords = new Map(await passwordsOf(nexus(), ['locker', 'track']));
    const before = await storeDigest(nexus(), 'track');
    const args = ['mcp', 'control', '--allow-changes'];
    await using session = await connected(nexus(), { transport, era: 'modern' }, { args });
    const said: string[] = [];
    const call = async (name: string, given: object) => {
      const called = await callTool(session.client, name, given);
      said.push(called.text);
      return called;
    };
    for (const [name, given, says] of REFUSED) {
      const { isError, text } = await call(name, given);
      expect(isError, `${name} ${JSON.stringify(given).slice(0, 200)}: ${text.slice(0, 300)}`).toBe(true);
      expect(text, name).toMatch(says);
      expect((await call('backup_list', {})).isError).toBe(false);
    }
    // The client's own transport waits once for each message that its server has not read yet.
    const listenersMax = EventEmitter.defaultMaxListeners;
    EventEmitter.defaultMaxListeners = PARALLEL_CALLS + 10;
    const calls = Array.from({ length: PARALLEL_CALLS }, (_, at) =>
      at % ASKING_EACH === 0 ? call('status', { environments: ['track'] }) : call('backup_list', {}),
    );
    const answers = await Promise.all(calls).finally(() => (EventEmitter.defaultMaxListeners = listenersMax));
    for (const [at, { data, isError, text }] of answers.entries()) {
      if (isError) expect(text).toMatch(TOO_MANY);
      else if (at % ASKING_EACH === 0) expect(data).toMatchObject({ ok: true, environments: [{ name: 'track' }] });
      else expect(data).toHaveProperty('environments');
    }
    expect(answers.filter(({ isError }) => isError).length).toBeLessThan(PARALLEL_CALLS / 2);

    expect((await call('check', { environments: ['track'] })).data).toMatchObject({ ok: true, total: 0 });
    expect(await storeDigest(nexus(), 'track')).toEqual(before);
    expect(await passwordsOf(nexus(), ['locker', 'track'])).toEqual(passwords);
    expect(findIn('the answers', said.join('\n'), passwords)).toEqual([]);
    for (const text of said) expect(text).not.toMatch(/\n\s+at .*:\d+|\/dist\//);
  });
}

function nested(): unknown {
  let deep: unknown = 'track';
  for (let level = 0; level < LEVELS; level += 1) deep = [deep];
  return deep;
}
