import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EnvironmentKind, Role } from './environment.js';
import { Secret } from './secret.js';
import type { Credentials, UserOptions } from './users.js';
import { compareUsers, CREDENTIAL_NAMES, parseAclUser, passwordHash, renderUsersAcl, usersOf } from './users.js';

const CREDENTIALS: Credentials = {
  default: new Secret('plain-default'),
  admin: new Secret('plain-admin'),
  replicator: new Secret('plain-replicator'),
  backup: new Secret('plain-backup'),
  'operational-admin': new Secret('plain-operational-admin'),
};

const INSTANCES: readonly { role: Role; kind: EnvironmentKind; names: readonly string[] }[] = [
  { role: 'vault', kind: 'standard', names: ['admin', 'backup', 'default', 'replicator'] },
  { role: 'vault', kind: 'secure', names: ['admin', 'backup', 'default'] },
  { role: 'operational', kind: 'standard', names: ['admin', 'default'] },
];

const linesOf = (role: Role, kind: EnvironmentKind, options: UserOptions = {}): string[] =>
  renderUsersAcl(role, kind, CREDENTIALS, options).trimEnd().split('\n');

describe.each(INSTANCES)('users.acl of a $role ($kind)', ({ role, kind, names }) => {
  const lines = linesOf(role, kind);
  const users = lines.map(parseAclUser);

  it('has one user a purpose', () => {
    expect(users.map((user) => user?.name)).toEqual(names);
    expect(users.every((user) => user?.on)).toBe(true);
  });

  it('holds hashes, never a password', () => {
    for (const name of CREDENTIAL_NAMES) expect(lines.join('\n')).not.toContain(CREDENTIALS[name].reveal());
    const open = users.filter((user) => user?.nopass).map((user) => user?.name);
    expect(open).toEqual(role === 'operational' ? ['default'] : []);
    for (const user of users) expect(user?.passwordHashes).toHaveLength(user?.nopass === true ? 0 : 1);
  });

  it('gives everything to the admin alone', () => {
    for (const { name, rules } of usersOf(role, kind)) {
      expect(rules.includes('+@all') && !rules.includes('-@dangerous')).toBe(name === 'admin');
    }
  });

  it('is no different from itself, in any order', () => {
    fc.assert(
      fc.property(fc.shuffledSubarray(lines, { minLength: lines.length }), (shuffled) => {
        expect(compareUsers(lines, shuffled)).toEqual([]);
      }),
    );
  });

  it('differs by every rule that is taken away or added', () => {
    for (const [index, line] of lines.entries()) {
      const name = names[index] ?? '';
      const user = parseAclUser(line);
      const rules = user?.rules ?? [];
      for (const rule of rules) {
        const without = lines.with(index, line.replace(rule, '').trimEnd());
        expect(compareUsers(lines, without)).toEqual([{ user: name, kind: 'rules', added: [], removed: [rule] }]);
      }
      const withMore = lines.with(index, `${line} +config`);
      expect(compareUsers(lines, withMore)).toEqual([{ user: name, kind: 'rules', added: ['+config'], removed: [] }]);
    }
  });
});

describe('what may be done without a password', () => {
  const open =
    usersOf('operational', 'standard')
      .find(({ name }) => name === 'default')
      ?.rules.split(' ') ?? [];

  it('starts from nothing, and names no category but @read', () => {
    expect(open).toContain('-@all');
    expect(open.filter((rule) => rule.startsWith('+@'))).toEqual(['+@read']);
    expect(open).not.toContain('allcommands');
  });

  it.each(
    [
      'config',
      'replicaof',
      'shutdown',
      'debug',
      'module',
      'acl',
      'monitor',
      'client|kill',
      'client',
      'eval',
      'function',
    ]
      .concat(['flushall', 'save', 'set', 'graph.query', 'graph.debug', 'graph.config', 'graph.udf', 'psync', 'sync'])
      .map((command) => [command]),
  )('is never %s', (command) => {
    expect(open).not.toContain(`+${command}`);
  });
});

describe('how users in force differ', () => {
  const lines = linesOf('vault', 'standard');
  const replaced = (name: string, from: string, to: string): string[] =>
    lines.map((line) => (line.startsWith(`user ${name} `) ? line.replace(from, to) : line));
  const kinds = (actual: readonly string[]): string[] =>
    compareUsers(lines, actual).map(({ user, kind }) => `${user} ${kind}`);
  const foreignHash = passwordHash(new Secret('another'));
  const hash = passwordHash(CREDENTIALS.default);

  it.each<[string, readonly string[], readonly string[]]>([
    ['one is missing', lines.slice(1), ['admin missing']],
    ['one too many', [...lines, 'user eve on nopass ~* &* +@all'], ['eve extra']],
    ['nobody at all', [], ['admin missing', 'backup missing', 'default missing', 'replicator missing']],
    ['another password', replaced('default', hash, foreignHash), ['default password']],
    ['a second password', replaced('default', hash, `${hash} ${foreignHash}`), ['default password']],
    ['no password any more', replaced('default', hash, 'nopass'), ['default nopass']],
    ['no password needed, one kept', replaced('default', hash, `nopass ${hash}`), ['default nopass']],
    ['switched off', replaced('replicator', ' on ', ' off '), ['replicator state']],
    ['payloads not checked', replaced('default', 'sanitize-payload', 'skip-sanitize-payload'), ['default rules']],
  ])('%s', (_, actual, expected) => {
    expect(kinds(actual)).toEqual(expected);
  });

  it('fenced: neither a replica nor an application may log in', () => {
    expect(kinds(linesOf('vault', 'standard', { fenced: true }))).toEqual(['default state', 'replicator state']);
  });

  it('never shows a hash', () => {
    const differences = compareUsers(lines, replaced('default', hash, foreignHash));
    expect(JSON.stringify(differences)).not.toMatch(/[0-9a-f]{64}/);
  });
});

describe('a line of ACL LIST', () => {
  it('keeps a selector as one rule', () => {
    const selector = '(~a* &* -@all +get +client|id)';
    expect(parseAclUser(`user x on #${'a'.repeat(64)} ~* ${selector} +ping`)?.rules).toEqual(['~*', selector, '+ping']);
  });

  it.each(['', 'user', '# user x on', 'userx y', 'ACL'])('is not %j', (line) => {
    expect(parseAclUser(line)).toBeUndefined();
  });

  it('is read without a failure, whatever it holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (rest) => {
        const user = parseAclUser(`user x ${rest}`);
        // `off` unless it says otherwise, closed unless it says otherwise.
        if (!/\bon\b/.test(rest)) expect(user?.on).toBe(false);
        if (!rest.includes('nopass')) expect(user?.nopass).toBe(false);
      }),
    );
  });
});
