import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { splitConfLine } from '../../test/support/redis-conf-line.js';
import type { Role } from './environment.js';
import type { Placement } from './redis-conf.js';
import { quoteConf, renderRedisConf, runtimeDirectives, sameDirectiveValue } from './redis-conf.js';
import { Secret } from './secret.js';
import { DEFAULT_SETTINGS } from './settings.js';

const PLACEMENT: Placement = {
  engineCommand: ['redis-server'],
  modulePath: '/var/lib/falkordb/bin/falkordb.so',
  configDir: '/config',
  dataDir: '/data',
  port: 6379,
  bind: ['127.0.0.1', '::1'],
  vaultAddress: { host: 'nexus3-track-vault', port: 6379 },
};
const PASSWORD = new Secret('the replication password');

/** Words of each line that is not a comment, by the first of them. */
function parse(conf: string): Map<string, readonly string[]> {
  const directives = new Map<string, readonly string[]>();
  for (const line of conf.split('\n')) {
    if (line.startsWith('#') || line === '') continue;
    const [name = '', ...values] = splitConfLine(line) ?? [];
    expect(directives.has(name), `${name} is there twice`).toBe(false);
    directives.set(name, values);
  }
  return directives;
}

const render = (role: Role, placement: Partial<Placement> = {}, password: Secret | undefined = PASSWORD) =>
  parse(renderRedisConf(role, { ...PLACEMENT, ...placement }, DEFAULT_SETTINGS, password));

describe('a quoted value', () => {
  it.each([
    '',
    ' ',
    'a b',
    '"',
    "'",
    '\\',
    '\n',
    '\r\n',
    '\t',
    '\u0000',
    '#',
    'ä',
    '😀',
    '\\x41',
    '"a" b',
    "it's",
    '\u007f',
  ])('%j comes back whole', (value) => {
    expect(splitConfLine(`dir ${quoteConf(value)}`)).toEqual(['dir', value]);
  });

  it('comes back whole, whatever it is, and stays on its line', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ unit: 'binary' }), { minLength: 1, maxLength: 5 }), (values) => {
        const line = values.map(quoteConf).join(' ');
        expect(line).toMatch(/^[ -~]*$/);
        expect(splitConfLine(line)).toEqual(values.map((value) => Buffer.from(value, 'utf8').toString('utf8')));
      }),
      { numRuns: 1000 },
    );
  });

  it('is left as it is where that is safe', () => {
    expect(quoteConf('/var/lib/falkordb/data')).toBe('/var/lib/falkordb/data');
  });
});

describe('redis.conf', () => {
  it('of a vault: durable, never evicting, nobody’s replica, no secret in it', () => {
    const conf = render('vault');
    expect(Object.fromEntries(conf)).toMatchObject({
      port: ['6379'],
      bind: ['127.0.0.1', '::1'],
      dir: ['/data'],
      aclfile: ['/config/users.acl'],
      appendonly: ['yes'],
      'aof-timestamp-enabled': ['yes'],
      'maxmemory-policy': ['noeviction'],
      'repl-diskless-sync-delay': ['0'],
      'enable-debug-command': ['no'],
      'enable-module-command': ['no'],
      save: [''],
    });
    for (const name of ['replicaof', 'masterauth', 'masteruser', 'requirepass', 'user'])
      expect(conf.has(name)).toBe(false);
    expect(renderRedisConf('vault', PLACEMENT, DEFAULT_SETTINGS, PASSWORD)).not.toContain(PASSWORD.reveal());
  });

  it('of an operational: a read-only replica from its first moment', () => {
    expect(Object.fromEntries(render('operational'))).toMatchObject({
      'replica-read-only': ['yes'],
      appendonly: ['no'],
      masteruser: ['replicator'],
      masterauth: [PASSWORD.reveal()],
      replicaof: ['nexus3-track-vault', '6379'],
      save: ['3600 1 300 100 60 10000'],
    });
  });

  it('loads the module once, with its arguments, and never TIMEOUT together with TIMEOUT_MAX', () => {
    const settings = { ...DEFAULT_SETTINGS, threads: 2, queryTimeoutMs: 5000, queryQueueMax: 7 };
    const conf = parse(renderRedisConf('vault', PLACEMENT, settings, undefined));
    expect(conf.get('loadmodule')).toEqual(
      '/var/lib/falkordb/bin/falkordb.so THREAD_COUNT 2 TIMEOUT_DEFAULT 5000 TIMEOUT_MAX 5000 MAX_QUEUED_QUERIES 7 CMD_INFO no'.split(
        ' ',
      ),
    );
    expect(render('vault', { modulePath: undefined }).has('loadmodule')).toBe(false);
  });

  it('holds every runtime directive as it is compared later', () => {
    for (const role of ['vault', 'operational'] as const) {
      const conf = render(role);
      for (const { name, value } of runtimeDirectives(role, DEFAULT_SETTINGS)) expect(conf.get(name)).toEqual([value]);
    }
  });

  it('cannot be given another line by a path', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary' }), (dataDir, host) => {
        const conf = render('operational', { dataDir, vaultAddress: { host, port: 1 } });
        expect([...conf.keys()].sort()).toEqual([...render('operational').keys()].sort());
        expect(conf.get('dir')).toEqual([Buffer.from(dataDir).toString()]);
      }),
    );
  });
});

describe('a directive in force', () => {
  it.each([
    ['maxmemory', '1gb', '1073741824', true],
    ['maxmemory', '1gb', '1000000000', false],
    ['maxmemory', '0', '0', true],
    ['appendonly', 'yes', 'yes', true],
    ['appendonly', 'yes', 'no', false],
  ])('%s %s printed as %s: the same is %s', (name, expected, actual, same) => {
    expect(sameDirectiveValue(name, expected, actual)).toBe(same);
  });
});
