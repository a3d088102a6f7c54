/**
 * ACL users: one a purpose. What each may do, how `users.acl` is rendered, and how what a server has in force differs
 * from it. Rules are written in the order in which `ACL LIST` prints them (Redis 8.2), so that the two compare.
 */
import { createHash } from 'node:crypto';
import type { EnvironmentKind, Role } from './environment.js';
import type { Secret } from './secret.js';

/** The credentials of one environment, each for one purpose; `operational-admin` never opens the vault. */
export const CREDENTIAL_NAMES = ['default', 'admin', 'replicator', 'backup', 'operational-admin'] as const;
/** `default` is what applications use; `admin` and `operational-admin` are nexus3's own. */
export type CredentialName = (typeof CREDENTIAL_NAMES)[number];
export type Passwords = Readonly<Partial<Record<CredentialName, Secret>>>;

/** The passwords in use, and what else a server has to go by. */
export interface Credentials extends Readonly<Record<CredentialName, Secret>> {
  /** Accepted besides, while a rotation or a new root key is under way. */
  readonly alsoAccepted?: Passwords;
  /** Only of Locker: who may read one environment's credentials there with a token. */
  readonly tokenUsers?: readonly TokenUser[];
}

/** All five, each made by its name. */
export function makeCredentials(make: (name: CredentialName) => Secret): Credentials {
  return {
    default: make('default'),
    admin: make('admin'),
    replicator: make('replicator'),
    backup: make('backup'),
    'operational-admin': make('operational-admin'),
  };
}

/** A user of Locker for one token: it reads one environment's hash and leaves a note of that; it opens nothing by itself. */
export interface TokenUser {
  /** `t_` and 8 hex digits. */
  readonly id: string;
  readonly env: string;
  /** `#` and 64 hex digits, as ACL files hold it. */
  readonly passwordHash: string;
}

export interface AclUserRule {
  readonly name: string;
  /** The credential that opens it; undefined: no password at all. */
  readonly credential: CredentialName | undefined;
  readonly rules: string;
}

/** `t_1a2b3c4d`: also the name of its user on Locker. */
export const TOKEN_ID = /^t_[0-9a-f]{8}$/;

/** Where Locker keeps what a token may reach; the formats are in src/locker/. */
export const LOCKER_KEY = {
  environment: (env: string): string => `nexus3:locker:l_e0dd:env:${env}`,
  inbox: (tokenId: string): string => `nexus3:locker:audit:inbox:${tokenId}`,
} as const;

/** Redis categories leave GRAPH.* out, so `-graph.*` and `+graph.*` are named one by one. */
const VAULT_DEFAULT =
  '~* &* +@all -@admin -@dangerous +info +role +keys +sort +flushdb +flushall -graph.debug -graph.config';

/** Reads only. Graph commands need `~*` because their key specification is read-write, hence the selector. */
const OPERATIONAL_DEFAULT = [
  '%R~* &* -@all +@read -keys -dump -lolwut +ping +echo +select +info +role +wait +command +readonly +hello +auth +quit',
  '+client|setinfo +client|setname +client|getname +client|id +client|info +client|no-touch',
  '+subscribe +unsubscribe +psubscribe +punsubscribe +multi +exec +discard +watch +unwatch +module|list +lastsave',
  '(~* resetchannels -@all +graph.ro_query +graph.list +graph.info +graph.memory)',
].join(' ');

/** Every rule that names a GRAPH command, and a selector that holds one. */
const GRAPH_RULES = / (?:\([^)]*[+-]graph\.[^)]*\)|[+-]graph\.\S+)/g;

const ADMIN = '~* &* +@all';
/** Valkey, and a snapshot taken as a replica takes it, also want SYNC. */
const REPLICATOR = 'resetchannels -@all +psync +replconf +ping +sync';
const BACKUP = 'resetchannels -@all +psync +replconf +ping +sync +info +role';

/**
 * Further states of the vault's users. `fenced`: what the vault holds is not yet proven, so no replica may attach, and no
 * application may write to it meanwhile.
 */
export interface UserOptions {
  readonly fenced?: boolean;
  /** For an engine without the graph module: it refuses to start on a rule that names a GRAPH command. */
  readonly withoutGraphs?: boolean;
}

export function usersOf(role: Role, kind: EnvironmentKind): readonly AclUserRule[] {
  if (role === 'operational') {
    return [
      { name: 'admin', credential: 'operational-admin', rules: ADMIN },
      { name: 'default', credential: undefined, rules: OPERATIONAL_DEFAULT },
    ];
  }
  const users: AclUserRule[] = [
    { name: 'admin', credential: 'admin', rules: ADMIN },
    { name: 'backup', credential: 'backup', rules: BACKUP },
    { name: 'default', credential: 'default', rules: VAULT_DEFAULT },
  ];
  if (kind === 'standard') users.push({ name: 'replicator', credential: 'replicator', rules: REPLICATOR });
  return users;
}

/** `#` and the SHA-256 of a password, as ACL files hold it: no plaintext lies on disk. */
export function passwordHash(secret: Secret): string {
  return `#${createHash('sha256').update(secret.reveal(), 'utf8').digest('hex')}`;
}

const FENCED_OUT: ReadonlySet<string> = new Set(['replicator', 'default']);

export function renderUsersAcl(
  role: Role,
  kind: EnvironmentKind,
  credentials: Credentials,
  options: UserOptions = {},
): string {
  const users = usersOf(role, kind).map(({ name, credential, rules }) => {
    const password = credential === undefined ? 'nopass' : acceptedHashes(credentials, credential).join(' ');
    const state = options.fenced === true && FENCED_OUT.has(name) ? 'off' : 'on';
    const inForce = options.withoutGraphs === true ? rules.replaceAll(GRAPH_RULES, '') : rules;
    return `user ${name} ${state} sanitize-payload ${password} ${inForce}\n`;
  });
  const tokens = (credentials.tokenUsers ?? []).map(
    (token) => `user ${token.id} on sanitize-payload ${token.passwordHash} ${tokenRules(token)}\n`,
  );
  return [...users, ...tokens].join('');
}

/** Of all passwords that open this user now; in one order, whichever of two is the one in use. */
export function acceptedHashes(credentials: Credentials, name: CredentialName): readonly string[] {
  const also = credentials.alsoAccepted?.[name];
  const hashes = [credentials[name], ...(also === undefined ? [] : [also])].map(passwordHash);
  // Sorted, so that nothing is rendered anew when the second one becomes the first.
  return [...new Set(hashes)].toSorted();
}

/** Reads its environment's hash, and writes where its reads are noted; nothing else. */
function tokenRules({ id, env }: TokenUser): string {
  return `%R~${LOCKER_KEY.environment(env)} %W~${LOCKER_KEY.inbox(id)} resetchannels -@all +ping +hgetall +xadd`;
}

export interface AclUser {
  readonly name: string;
  readonly on: boolean;
  readonly nopass: boolean;
  readonly passwordHashes: readonly string[];
  /** Keys, channels, commands and selectors, in their order. */
  readonly rules: readonly string[];
}

/** Reads one line of `ACL LIST` or of an ACL file. Undefined for a line that is not a user. */
export function parseAclUser(line: string): AclUser | undefined {
  const [keyword, name, ...tokens] = tokenize(line);
  if (keyword !== 'user' || name === undefined) return undefined;
  const passwordHashes: string[] = [];
  const rules: string[] = [];
  let on = false;
  let nopass = false;
  for (const token of tokens) {
    if (token === 'on') on = true;
    else if (token === 'off') on = false;
    else if (token === 'nopass') nopass = true;
    else if (token.startsWith('#')) passwordHashes.push(token);
    else if (token !== 'sanitize-payload') rules.push(token);
  }
  return { name, on, nopass, passwordHashes, rules };
}

/** Splits at white space, keeping a `( … )` selector as one token. */
function tokenize(line: string): readonly string[] {
  return line.match(/\([^)]*\)|\S+/g) ?? [];
}

export interface AclDifference {
  readonly user: string;
  readonly kind: 'missing' | 'extra' | 'password' | 'nopass' | 'state' | 'rules';
  /** Rules in force that should not be, and the other way round. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** How the users in force differ from those rendered. Both as lines `user NAME …`. */
export function compareUsers(expected: readonly string[], actual: readonly string[]): readonly AclDifference[] {
  const want = byName(expected);
  const have = byName(actual);
  const differences: AclDifference[] = [];
  for (const [name, user] of want) {
    const other = have.get(name);
    if (other === undefined) differences.push({ user: name, kind: 'missing', added: [], removed: [] });
    else differences.push(...compareUser(user, other));
  }
  for (const name of have.keys()) {
    if (!want.has(name)) differences.push({ user: name, kind: 'extra', added: [], removed: [] });
  }
  return differences;
}

function byName(lines: readonly string[]): Map<string, AclUser> {
  const users = lines.map(parseAclUser).filter((user) => user !== undefined);
  return new Map(users.map((user) => [user.name, user]));
}

function compareUser(want: AclUser, have: AclUser): readonly AclDifference[] {
  const differences: AclDifference[] = [];
  const of = (kind: AclDifference['kind'], added: readonly string[] = [], removed: readonly string[] = []): void => {
    differences.push({ user: want.name, kind, added, removed });
  };
  if (want.on !== have.on) of('state');
  if (have.nopass && !want.nopass) of('nopass');
  else if (!sameMembers(want.passwordHashes, have.passwordHashes) || want.nopass !== have.nopass) of('password');
  if (want.rules.join(' ') !== have.rules.join(' ')) {
    of(
      'rules',
      have.rules.filter((rule) => !want.rules.includes(rule)),
      want.rules.filter((rule) => !have.rules.includes(rule)),
    );
  }
  return differences;
}

function sameMembers(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((member) => b.includes(member));
}
