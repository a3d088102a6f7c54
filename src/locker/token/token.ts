/**
 * A token: what its holder needs to read some credentials of one environment, and nothing else. This file is its form in
 * memory and as text; token-file.ts keeps it on disk.
 *
 *     nexus3-token-2 ID ENV KIND LOCKER_HOST:PORT VAULT_HOST:PORT SECRET CHECKSUM
 *
 * `nexus3-token-1`, which is read as well, has no KIND.
 *
 * From the secret come the password of its user on Locker and the key over its value keys (envelope.ts, `wrapFor`).
 */
import { createHash, hkdfSync, randomBytes } from 'node:crypto';
import { inspect } from 'node:util';
import type { EnvironmentKind } from '../../protocol/environment.js';
import { isEnvironmentName } from '../../protocol/environment.js';
import type { Address } from '../../protocol/redis-conf.js';
import { PROTOCOL_REGISTRY } from '../../protocol/registry.js';
import { Secret } from '../../protocol/secret.js';
import { TOKEN_ID } from '../../protocol/users.js';

const VERSION_WORD = 'nexus3-token-2';
/** Of tokens that do not say of which kind their environment is. */
const KINDLESS_VERSION_WORD = 'nexus3-token-1';
const KINDS = ['standard', 'secure'] as const satisfies readonly EnvironmentKind[];
const KIND_AT = 2;
const SECRET_BYTES = 32;
const PASSWORD_BYTES = 32;
const KEY_BYTES = 32;
const ID_BYTES = 4;
const CHECKSUM_DIGITS = 16;
const WORDS = 8;
const PORT_MAX = 65_535;

export interface TokenPlace {
  readonly id: string;
  readonly env: string;
  readonly kind: EnvironmentKind;
  /** Where Locker answers, as seen from the holder. */
  readonly locker: Address;
  /** Where the environment's vault answers; its operational has the next port. */
  readonly vault: Address;
}

/** In memory. It prints as `[token t_…]` wherever it is logged, joined, inspected or put into JSON. */
export class Token implements TokenPlace {
  readonly #secret: Buffer;
  readonly id: string;
  readonly env: string;
  readonly #kind: EnvironmentKind | undefined;
  readonly locker: Address;
  readonly vault: Address;

  /** Without a kind it is one of those that do not say it. */
  constructor(secret: Buffer, { id, env, kind, locker, vault }: Omit<TokenPlace, 'kind'> & Partial<TokenPlace>) {
    if (secret.length !== SECRET_BYTES) throw new RangeError(`a token has ${String(SECRET_BYTES)} bytes`);
    this.#secret = Buffer.from(secret);
    this.id = id;
    this.env = env;
    this.#kind = kind;
    this.locker = locker;
    this.vault = vault;
  }

  static generate(place: Omit<TokenPlace, 'id'>): Token {
    return new Token(randomBytes(SECRET_BYTES), { ...place, id: `t_${randomBytes(ID_BYTES).toString('hex')}` });
  }

  /** Where it does not say so itself, protocol v1.0 does of its own environments; any other one counts as standard. */
  get kind(): EnvironmentKind {
    return this.#kind ?? PROTOCOL_REGISTRY.find(({ name }) => name === this.env)?.kind ?? 'standard';
  }

  /** Of its user on Locker. */
  get password(): Secret {
    return new Secret(this.#derive('redis-password', PASSWORD_BYTES).toString('base64url'));
  }

  /** Opens the value keys that were wrapped for it. */
  get keyEncryptionKey(): Buffer {
    return this.#derive('key-encryption-key', KEY_BYTES);
  }

  /** For the file, and only there: one line. */
  toText(): string {
    const version = this.#kind === undefined ? KINDLESS_VERSION_WORD : VERSION_WORD;
    const kind = this.#kind === undefined ? [] : [this.#kind];
    const words = [version, this.id, this.env, ...kind, written(this.locker), written(this.vault)];
    const body = [...words, this.#secret.toString('base64url')].join(' ');
    return `${body} ${checksum(body)}\n`;
  }

  toString(): string {
    return `[token ${this.id}]`;
  }

  toJSON(): string {
    return this.toString();
  }

  [inspect.custom](): string {
    return this.toString();
  }

  #derive(purpose: string, bytes: number): Buffer {
    const info = JSON.stringify(['nexus3', 'token', 1, this.id, purpose]);
    return Buffer.from(hkdfSync('sha256', this.#secret, 'nexus3', info, bytes));
  }
}

/** Why a text is not a token. Never says anything of its content. */
export type TokenFault = 'empty' | 'unknown-format' | 'truncated-or-edited';

export function parseToken(text: string): Token | TokenFault {
  const line = text.trim();
  if (line === '') return 'empty';
  const words = line.split(/\s+/);
  const [word = '', ...said] = words;
  const isKindless = word === KINDLESS_VERSION_WORD;
  // A file that ends within the version word is a truncated token, not another format.
  if (!isKindless && !VERSION_WORD.startsWith(word)) return 'unknown-format';
  const kind = isKindless ? undefined : KINDS.find((one) => one === said[KIND_AT]);
  const [id = '', env = '', lockerText = '', vaultText = '', encoded = '', sum = ''] = isKindless
    ? said
    : said.toSpliced(KIND_AT, 1);
  const secret = Buffer.from(encoded, 'base64url');
  const whole = secret.length === SECRET_BYTES && secret.toString('base64url') === encoded;
  const count = isKindless ? WORDS - 1 : WORDS;
  if (!whole || words.length !== count || sum !== checksum(words.slice(0, -1).join(' '))) return 'truncated-or-edited';
  const [locker, vault] = [parseAddress(lockerText), parseAddress(vaultText)];
  if (!TOKEN_ID.test(id) || !isEnvironmentName(env) || locker === undefined || vault === undefined) {
    return 'truncated-or-edited';
  }
  if (!isKindless && kind === undefined) return 'truncated-or-edited';
  return new Token(secret, { id, env, locker, vault, ...(kind === undefined ? {} : { kind }) });
}

function written({ host, port }: Address): string {
  return `${host.includes(':') ? `[${host}]` : host}:${String(port)}`;
}

function parseAddress(text: string): Address | undefined {
  const [, bracketed, plain, digits] = /^(?:\[([0-9a-fA-F:.%]{2,64})\]|([^\s:[\]]{1,253})):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  return host === undefined || port < 1 || port > PORT_MAX ? undefined : { host, port };
}

function checksum(body: string): string {
  return createHash('sha256').update(body, 'utf8').digest('hex').slice(0, CHECKSUM_DIGITS);
}
