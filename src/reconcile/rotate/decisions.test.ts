import { describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.js';
import {
  changed,
  configurationOf,
  EMPTIED,
  ended,
  folder,
  foreign,
  LOCKER,
  replicaLink,
  TRACK,
  unreachable,
  USER,
  view,
} from '../../../test/support/facts.js';
import { Secret } from '../../protocol/secret.js';
import { makeCredentials } from '../../protocol/users.js';
import type { AclDifference } from '../../protocol/users.js';
import type { RotateOptions } from './choose.js';
import { chooseRotations, stepsOf } from './choose.js';
import { whyNotRotate } from './refuse.js';
import { currentOnly, oldPasswords, replicationBefore, rotationSeen, toleratedDifferences } from './under-way.js';

const OPTIONS: RotateOptions = { envs: [], all: true, users: [], graceSeconds: 30, dryRun: false };
const QUIET = { pingAnswered: false, masterauthShown: false };
const NOW = new Date('2026-04-10T12:00:00.000Z');

async function refusalOf(parts: Partial<RotateOptions>): Promise<string> {
  const work = Promise.resolve().then(() => chooseRotations(configurationOf(), { ...OPTIONS, ...parts }));
  const { code, message } = await failureOf(work);
  return `${code} ${message}`;
}

describe('which passwords are rotated', () => {
  const chosen = (parts: Partial<RotateOptions>): readonly string[] =>
    chooseRotations(configurationOf(), { ...OPTIONS, ...parts }).map(
      ({ environment, names }) => `${environment.name}: ${names.join(' ')}`,
    );

  it('all of all, Locker last', () => {
    expect(chosen({})).toEqual([
      'user: default admin backup',
      'track: default admin replicator backup operational-admin',
      'locker: default admin backup',
    ]);
  });

  it('some users, where an environment has them', () => {
    expect(chosen({ users: ['replicator', 'default'] })).toEqual(['user: default', 'track: default replicator']);
    expect(chosen({ envs: ['track'], all: false, users: ['backup'] })).toEqual(['track: backup']);
  });

  it('none that there is not', async () => {
    expect(await refusalOf({ all: false })).toBe('USAGE Nothing is named.');
    expect(await refusalOf({ envs: ['track'] })).toBe('USAGE --all leaves no choice of environments.');
    expect(await refusalOf({ envs: ['no'], all: false })).toContain('ENVIRONMENT_UNKNOWN');
    expect(await refusalOf({ envs: ['user'], all: false, users: ['replicator'] })).toContain('user has no user');
    expect(await refusalOf({ envs: ['locker'], all: false, users: ['admin'] })).toContain('change together');
  });

  it('is said in steps', () => {
    const names = ['default', 'replicator'] as const;
    expect(stepsOf({ environment: TRACK, names }, 5)).toMatchInlineSnapshot(`
      [
        "make new passwords in Locker for default, replicator; the old ones stay in use",
        "let track/vault and track/operational accept both: files and users in force",
        "hand out the new ones",
        "let the operational connect again with its new password, and prove it",
        "wait 5 s, while both are accepted",
        "let track/vault and track/operational accept the new ones only, and prove that the old ones are refused",
      ]
    `);
    expect(stepsOf({ environment: LOCKER, names: ['default'] }, 5)).toHaveLength(5);
    const complete = 'complete the rotation of default that is under way, when its grace is over';
    expect(stepsOf({ environment: USER, names: ['default'] }, 5, ['default'])).toEqual([complete]);
    expect(stepsOf({ environment: TRACK, names }, 5, ['default'])).toHaveLength(7);
    expect(stepsOf({ environment: USER, names: ['default'] }, 5)).toHaveLength(5);
  });
});

describe('whether an environment is rotated now', () => {
  it.each([
    ['is well', changed(), undefined],
    ['its operational is stopped', changed(ended('operational')), undefined],
    ['its vault is stopped', changed(ended('vault')), undefined],
    ['a stranger is there', changed(foreign('vault')), 'FOREIGN_INSTANCE'],
    ['the guard holds the vault', changed(EMPTIED), 'LAST_COPY'],
    [
      'a restore was cut off',
      changed((facts) => ({ ...facts, restore: { phase: 'opening', source: '20260108T120000Z-1a2b', startedAt: '' } })),
      'ROTATE_REFUSED',
    ],
    ['a recovery was cut off', changed(folder('vault', { fenced: true })), 'LAST_COPY'],
    ['a server does not answer', changed(unreachable('operational')), 'REDIS_UNREACHABLE'],
    ['a server loads', changed(view('operational', { state: 'loading', anonymous: QUIET })), 'ROTATE_REFUSED'],
    [
      'the administrator is locked out',
      changed(view('vault', { state: 'locked', anonymous: QUIET, detail: 'WRONGPASS' })),
      'ROTATE_REFUSED',
    ],
    ['the link is down', changed(replicaLink({ link: 'down' })), 'ROTATE_REFUSED'],
    ['Locker lacks a password', { ...changed(), missingCredentials: ['backup'] as const }, 'LOCKER_CREDENTIAL_MISSING'],
    ['Locker was not asked', { ...changed(), missingCredentials: undefined }, 'LOCKER_CREDENTIAL_MISSING'],
  ])('%s', (_, facts, code) => {
    expect(whyNotRotate(facts)?.code).toBe(code);
  });
});

describe('what is seen while a rotation is under way', () => {
  const password = (user: string): AclDifference => ({ user, kind: 'password', added: [], removed: [] });

  it('a user that accepts both, or the one handed out, is as it should be; nothing else is', () => {
    const off: AclDifference = { ...password('backup'), kind: 'state' };
    expect(toleratedDifferences([password('default')], [])).toEqual([]);
    expect(toleratedDifferences([], [password('default')])).toEqual([]);
    expect(toleratedDifferences([password('default'), off], [password('default'), off])).toEqual([
      password('default'),
      off,
    ]);
    expect(toleratedDifferences([password('default'), off], [password('admin'), off])).toEqual([off]);
  });

  it('the operational may still know the replication password of before, once another is handed out', () => {
    const five = makeCredentials((name) => new Secret(name));
    const both = { ...five, alsoAccepted: { replicator: new Secret('before') } };
    const rotation = { names: ['replicator'], startedAt: '', graceUntil: null } as const;
    expect(replicationBefore(both, { ...rotation, phase: 'prepared' })).toBeUndefined();
    expect(replicationBefore(both, { ...rotation, phase: 'promoted' })?.reveal()).toBe('before');
    expect(replicationBefore(both, undefined)).toBeUndefined();
    expect(currentOnly(both)).toEqual(five);
  });

  it('the grace runs until its last moment', () => {
    const rotation = { names: ['default'], phase: 'promoted', startedAt: '' } as const;
    const runs = (graceUntil: string | null): boolean | undefined =>
      rotationSeen({ ...rotation, graceUntil }, NOW)?.graceRuns;
    expect([runs('2026-04-10T12:00:00.001Z'), runs('2026-04-10T12:00:00.000Z'), runs(null)]).toEqual([
      true,
      false,
      false,
    ]);
    expect(rotationSeen(undefined, NOW)).toBeUndefined();
  });
});

describe('how old passwords are', () => {
  const madeAt = { default: '2026-01-01T00:00:00.000Z', admin: '2026-03-01T00:00:00.000Z' };

  it('is nobody’s business unless nexus3.yaml says so', () => {
    expect(oldPasswords(madeAt, ['default', 'admin'], undefined, NOW)).toEqual([]);
  });

  it('tells those that are older, oldest first; of one without a date it knows nothing', () => {
    const names = ['admin', 'backup', 'default'] as const;
    expect(oldPasswords(madeAt, names, 30, NOW)).toEqual([
      { name: 'default', days: 99 },
      { name: 'admin', days: 40 },
    ]);
    expect(oldPasswords(madeAt, names, 98, NOW)).toEqual([{ name: 'default', days: 99 }]);
    expect(oldPasswords(madeAt, names, 99, NOW)).toEqual([]);
    expect(oldPasswords(madeAt, ['admin'], 1, NOW)).toEqual([{ name: 'admin', days: 40 }]);
  });
});
