import { describe, expect, it } from 'vitest';
import type { Change } from '../../../test/support/facts.js';
import {
  changed,
  config,
  differing,
  EMPTIED,
  ended,
  folder,
  foreign,
  healthy,
  INCARNATION,
  instance,
  LOCKER,
  missing,
  replicaLink,
  runtime,
  server,
  unreachable,
  USER,
  users,
  view,
} from '../../../test/support/facts.js';
import { Nexus3Error } from '../../errors.js';
import { diagnose } from '../diagnose.js';
import type { EnvironmentFacts } from '../facts.js';
import type { Finding } from '../finding.js';
import { FINDING_CODES } from '../finding.js';

const QUIET = { pingAnswered: false, masterauthShown: false };
const findingsOf = (facts: EnvironmentFacts): readonly Finding[] => diagnose(facts).map(({ finding }) => finding);

/** `code instance`, and ` !` where `--fix` may not repair it. */
function codesOf(facts: EnvironmentFacts): readonly string[] {
  return findingsOf(facts)
    .map(({ code, instance: role, fixable }) => `${code} ${role}${fixable ? '' : ' !'}`)
    .toSorted();
}

const rotation =
  ({ graceRuns }: { readonly graceRuns: boolean }): Change =>
  (facts) => ({
    ...facts,
    rotation: { names: ['default'], phase: 'promoted', startedAt: NOON, graceUntil: NOON, graceRuns },
  });
const NOON = '2026-01-08T12:00:00.000Z';

const LOCKED: Change = view('vault', { state: 'locked', anonymous: QUIET, detail: 'WRONGPASS' });
const engine = (version: string, graphModule = 41_603) => ({ kind: 'redis', version, graphModule }) as const;
const network =
  (state: EnvironmentFacts['network']): Change =>
  (facts) => ({ ...facts, network: state });
const lacking =
  (...names: NonNullable<EnvironmentFacts['missingCredentials']>): Change =>
  (facts) => ({ ...facts, missingCredentials: names });
const lockerDown: Change = (facts) => ({ ...facts, missingCredentials: undefined });
const UNREADABLE: Change = (facts) => ({
  ...facts,
  unreadable: new Nexus3Error('LOCKER_VALUE_TAMPERED', 'What lies there was changed.', { hint: 'Put it back.' }),
});
const ofLocker =
  (locker: NonNullable<EnvironmentFacts['locker']>): Change =>
  (facts) => ({ ...facts, locker });
const onEmbedded: Change = (facts) => ({ ...facts, runtimeName: 'process', network: 'not-applicable' });
const older = folder('vault', {
  vault: { birth: { state: 'born', incarnation: INCARNATION }, aof: { seq: 1, bytes: 99, missingFiles: [] } },
});
const fenced = folder('vault', { fenced: true, drifted: ['users.acl'] });
const image = (role: 'vault' | 'operational', name: string): Change =>
  instance(role, (one) => ({ spec: { ...one.spec, image: name } }));

describe('a healthy environment', () => {
  it.each([
    ['standard', healthy()],
    ['secure', healthy(USER)],
    ['Locker', healthy(LOCKER)],
    ['on the embedded runtime', changed(onEmbedded)],
  ])('%s: no finding', (_, facts) => {
    expect(codesOf(facts)).toEqual([]);
  });
});

describe('each change of the facts has exactly these findings (! is not repaired by --fix)', () => {
  it.each<[string, readonly Change[], readonly string[]]>([
    // where instances live
    ['a stranger’s vault', [foreign('vault')], ['foreign-instance vault !']],
    [
      'a stranger’s pair',
      [foreign('vault'), foreign('operational')],
      ['foreign-instance operational !', 'foreign-instance vault !'],
    ],
    ['no vault, its data are there', [missing('vault')], ['instance-missing vault']],
    ['no operational', [missing('operational')], ['instance-missing operational']],
    ['neither', [missing('vault'), missing('operational')], ['instance-missing operational', 'instance-missing vault']],
    ['stopped vault', [ended('vault')], ['instance-stopped vault']],
    [
      'killed operational',
      [ended('operational', { exitCode: 137, endedUnexpectedly: true })],
      ['instance-stopped operational'],
    ],
    [
      'a stranger’s stopped operational',
      [ended('operational', { owned: false })],
      ['foreign-instance operational !', 'instance-stopped operational !'],
    ],
    [
      'crash loop',
      [ended('vault', { state: 'restarting', exitCode: 1, restartCount: 4 })],
      ['instance-crash-looping vault'],
    ],
    [
      'restarts often, runs now, says nothing',
      [unreachable('vault'), runtime('vault', { restartCount: 2 })],
      ['instance-crash-looping vault'],
    ],
    ['hangs', [unreachable('operational')], ['instance-unreachable operational']],
    ['paused', [unreachable('vault'), runtime('vault', { state: 'paused' })], ['instance-unreachable vault']],
    ['no network', [network('missing')], ['network-missing vault']],
    [
      'no network, and nothing on it either',
      [network('missing'), missing('vault'), missing('operational')],
      ['instance-missing operational', 'instance-missing vault'],
    ],
    ['off the network', [differing('operational', 'network')], ['network-detached operational']],
    [
      'off the network, link down, unreachable: one cause',
      [differing('vault', 'network'), unreachable('vault'), replicaLink({ link: 'down' })],
      ['network-detached vault'],
    ],

    // what was rendered
    ['another port', [differing('operational', 'port')], ['port-mismatch operational']],
    [
      'another port of the vault, and so of its file',
      [
        differing('vault', 'port'),
        folder('vault', { drifted: ['redis.conf'] }),
        folder('operational', { drifted: ['redis.conf'] }),
      ],
      ['port-mismatch vault'],
    ],
    ['another port, on another image', [differing('vault', 'port', 'image')], ['port-mismatch vault !']],
    ['an operational’s folder', [differing('operational', 'mount')], ['mount-mismatch operational']],
    ['a vault’s folder', [differing('vault', 'mount')], ['mount-mismatch vault !']],
    [
      'an edited file',
      [folder('operational', { drifted: ['redis.conf'], driftedDirectives: ['maxclients'] })],
      ['config-drift operational'],
    ],
    [
      'an edited file of a stopped vault',
      [ended('vault'), folder('vault', { drifted: ['redis.conf'] })],
      ['instance-stopped vault'],
    ],
    ['an operational’s image', [differing('operational', 'image')], ['config-drift operational']],
    ['a vault’s image', [differing('vault', 'image')], ['config-drift vault !']],
    ['a container made otherwise', [differing('vault', 'definition')], ['config-drift vault']],
    ['a running vault without its mark', [folder('vault', { mark: undefined })], ['config-drift vault']],
    ['fenced', [fenced], ['config-drift vault !']],
    ['fenced, so the link is down', [fenced, replicaLink({ link: 'down' })], ['config-drift vault !']],
    ['no restart policy', [differing('vault', 'restart-policy')], ['config-volatile vault']],
    [
      'no restart policy and another image',
      [differing('vault', 'restart-policy', 'image')],
      ['config-drift vault !', 'config-volatile vault !'],
    ],
    ['a setting by hand', [config('operational', 'maxmemory', '1000000')], ['config-volatile operational']],
    ['the same size, as Redis writes it', [config('operational', 'maxmemory', '0')], []],
    ['a user by hand', [users('vault', 'intruder', 'extra')], ['config-volatile vault']],
    ['started without a file', [server('operational', { configFile: '' })], ['config-volatile operational']],
    ['beyond loopback', [runtime('vault', { exposedOn: '0.0.0.0' })], ['port-exposed vault !']],
    ['latest', [image('vault', 'falkordb/falkordb:latest')], ['image-unpinned vault !']],
    ['no tag, behind a port', [image('vault', 'host:5000/falkordb')], ['image-unpinned vault !']],
    ['a digest', [image('vault', 'falkordb/falkordb@sha256:00')], []],

    // who may do what
    [
      'the vault answers anyone',
      [
        instance('vault', (one) =>
          one.view?.state === 'open' ? { view: { ...one.view, anonymous: { ...QUIET, pingAnswered: true } } } : {},
        ),
      ],
      ['vault-open vault'],
    ],
    [
      'anyone may write on the operational',
      [users('operational', 'default', 'rules', ['+set'])],
      ['default-user-unrestricted operational'],
    ],
    [
      'anyone may read masterauth',
      [
        users('operational', 'default', 'rules', ['+config|get']),
        instance('operational', (one) =>
          one.view?.state === 'open'
            ? { view: { ...one.view, anonymous: { pingAnswered: true, masterauthShown: true } } }
            : {},
        ),
      ],
      ['secrets-exposed operational'],
    ],
    [
      'others may read the file',
      [folder('operational', { readableByOthers: ['redis.conf'] })],
      ['secrets-exposed operational'],
    ],
    ['a vault’s file holds no password', [folder('vault', { readableByOthers: ['redis.conf'] })], []],
    ['a password in the arguments', [runtime('vault', { secretInArguments: true })], ['secrets-exposed vault !']],
    ['the administrator is locked out', [LOCKED], ['password-mismatch vault !']],
    ['locked out, but Locker cannot be asked', [LOCKED, lockerDown], []],
    ['another password', [users('vault', 'default', 'password')], ['password-mismatch vault']],
    [
      'a stale replication password, while the link is up',
      [server('operational', { masterauthMatches: false })],
      ['password-mismatch operational'],
    ],
    [
      'the same, because the new one is not rendered yet',
      [
        server('operational', { masterauthMatches: false }),
        folder('operational', { drifted: ['redis.conf'], driftedDirectives: ['masterauth'] }),
      ],
      ['config-drift operational'],
    ],
    ['what Locker holds for it was changed', [lockerDown, UNREADABLE], ['credential-unreadable vault !']],
    [
      'so, and the operational is stopped',
      [lockerDown, UNREADABLE, ended('operational')],
      ['credential-unreadable vault !', 'instance-stopped operational'],
    ],
    ['Locker lacks one', [lacking('backup')], ['credential-missing vault']],
    ['Locker lacks the administrator', [lacking('admin'), LOCKED], ['credential-missing vault !']],

    // vault and operational
    ['the vault is a replica', [server('vault', { role: 'replica' })], ['vault-not-master vault']],
    [
      'the operational is a master',
      [server('operational', { role: 'master', replica: undefined })],
      ['operational-not-replica operational'],
    ],
    ['it accepts writes', [config('operational', 'replica-read-only', 'no')], ['operational-writable operational']],
    [
      'another master',
      [replicaLink({ master: { host: 'elsewhere', port: 1 }, link: 'down' })],
      ['wrong-master operational'],
    ],
    ['link down', [replicaLink({ link: 'down', downSeconds: 9 })], ['link-down operational']],
    ['link down because the vault is', [replicaLink({ link: 'down' }), ended('vault')], ['instance-stopped vault']],
    ['link down while it loads', [replicaLink({ link: 'down', syncing: true })], ['replica-loading operational']],
    ['loads', [view('operational', { state: 'loading', anonymous: QUIET })], ['replica-loading operational']],
    ['behind by more than the bound', [server('vault', { offset: 9_000_000 })], ['replica-lag operational']],
    ['behind by less', [server('vault', { offset: 2_000 })], []],

    // the data
    [
      'an emptied vault, held',
      [EMPTIED, ended('vault', { state: 'restarting', exitCode: 78 }), replicaLink({ link: 'down' })],
      ['vault-empty vault !'],
    ],
    ['an emptied vault that is gone', [EMPTIED, missing('vault')], ['vault-empty vault !']],
    [
      'neither data nor mark, but the operational has data',
      [EMPTIED, folder('vault', { mark: undefined }), missing('vault')],
      ['vault-empty vault !'],
    ],
    [
      'the same, and the operational has only a snapshot',
      [EMPTIED, folder('vault', { mark: undefined }), missing('vault'), server('operational', { keyspace: [] })],
      ['vault-empty vault !'],
    ],
    [
      'the same, and Locker cannot be asked',
      [
        EMPTIED,
        folder('vault', { mark: undefined }),
        missing('vault'),
        lockerDown,
        folder('operational', { hasData: false }),
        instance('operational', (one) =>
          one.view?.state === 'open'
            ? { view: { state: 'locked', anonymous: QUIET, detail: '', server: one.view.server } }
            : {},
        ),
      ],
      ['vault-empty vault !'],
    ],
    [
      'nothing was ever there',
      [
        EMPTIED,
        folder('vault', { mark: undefined }),
        missing('vault'),
        missing('operational'),
        folder('operational', { hasData: false }),
      ],
      ['instance-missing operational', 'instance-missing vault'],
    ],
    ['an older copy', [older, ended('vault', { exitCode: 78 })], ['vault-behind vault !']],
    [
      'an older copy, and the operational is stopped: that may start',
      [older, ended('vault', { exitCode: 78 }), ended('operational')],
      ['instance-stopped operational', 'vault-behind vault !'],
    ],
    [
      'a held vault that runs is not restarted',
      [older, folder('vault', { drifted: ['redis.conf'], driftedDirectives: ['dir'] })],
      ['config-drift vault !', 'vault-behind vault !'],
    ],
    [
      'no key, and not through the guard',
      [server('vault', { keyspace: [], configFile: '' })],
      ['config-volatile vault !', 'vault-empty vault !'],
    ],
    ['FLUSHALL: no key, through the guard', [server('vault', { keyspace: [] })], []],
    [
      'held though its data are right again',
      [ended('vault', { state: 'restarting', exitCode: 78 })],
      ['instance-stopped vault'],
    ],
    ['no append-only file', [server('vault', { aofEnabled: false })], ['vault-not-durable vault']],
    ['may evict', [config('vault', 'maxmemory-policy', 'allkeys-lru')], ['evicts-data vault']],
    [
      'a snapshot failed',
      [server('operational', { persistenceFailures: ['snapshot'] })],
      ['persistence-failing operational !'],
    ],
    ['the disk is nearly full', [folder('vault', { freeBytes: 1_000 })], ['persistence-failing vault !']],
    ['a small disk with some room', [folder('vault', { freeBytes: 200_000_000, totalBytes: 400_000_000 })], []],
    [
      'refused by the older engine',
      [ended('operational', { state: 'restarting', exitCode: 77 })],
      ['version-incompatible operational !'],
    ],
    [
      'an older operational; the link is its consequence',
      [server('operational', { engine: engine('7.4.0') }), replicaLink({ link: 'down' })],
      ['version-incompatible operational !'],
    ],
    ['no module', [server('operational', { engine: engine('8.2.3', 0) })], ['module-missing operational !']],
    [
      'no module, deliberately',
      [
        instance('vault', (one) => ({ placement: { ...one.placement, modulePath: undefined } })),
        server('vault', { engine: engine('8.2.3', 0) }),
      ],
      [],
    ],

    // passwords are to be replaced
    ['a rotation cut off', [rotation({ graceRuns: false })], ['rotation-unfinished vault !']],
    ['a rotation in its grace', [rotation({ graceRuns: true })], []],
    [
      'old passwords',
      [(facts) => ({ ...facts, oldPasswords: [{ name: 'default', days: 91 }] })],
      ['password-old vault !'],
    ],

    // strangers are seen and never touched
    [
      'a change of the root key was cut off',
      [ofLocker({ rekeying: true, kit: 'current' })],
      ['rekey-unfinished vault !'],
    ],
    ['a reset that was cut off', [(facts) => ({ ...facts, resetting: true })], ['reset-unfinished vault !']],
    ['no recovery kit', [ofLocker({ rekeying: false, kit: 'missing' })], ['recovery-kit-missing vault !']],
    ['one of an earlier root key', [ofLocker({ rekeying: false, kit: 'outdated' })], ['recovery-kit-missing vault !']],
    ['one of this root key', [ofLocker({ rekeying: false, kit: 'current' })], []],
    ['nobody knows', [ofLocker({ rekeying: false, kit: undefined })], []],
    [
      'a stranger’s open vault, the operational a master',
      [foreign('vault'), server('operational', { role: 'master', replica: undefined })],
      ['foreign-instance vault !', 'operational-not-replica operational !'],
    ],
    [
      'our stopped operational beside a stranger’s vault',
      [foreign('vault'), ended('operational')],
      ['foreign-instance vault !', 'instance-stopped operational'],
    ],
    [
      'a strangers’ pair, link down',
      [foreign('vault'), foreign('operational'), replicaLink({ link: 'down' })],
      ['foreign-instance operational !', 'foreign-instance vault !', 'link-down operational !'],
    ],
  ])('%s', (_, changes, expected) => {
    expect(codesOf(changed(...changes))).toEqual([...expected].toSorted());
  });

  it('every code is in this table, or in those of backups and of restores', async () => {
    const { readFile } = await import('node:fs/promises');
    const files = ['findings', 'backups', 'restore-unfinished'].map(
      (name) => new URL(`${name}.test.ts`, import.meta.url),
    );
    const text = (await Promise.all(files.map((file) => readFile(file, 'utf8')))).join('');
    expect(FINDING_CODES.filter((code) => !text.includes(`'${code} `))).toEqual([]);
  });
});
