/**
 * The backup secret: what the root key gives for backups, and all that a repository needs of it. From one secret come the
 * key of the manifests' MACs, the age identity, the restic password, and the key that earlier secrets are sealed under; none
 * of them says anything of another, or of the root key.
 */
import { createHmac, hkdfSync, timingSafeEqual } from 'node:crypto';
import { inspect } from 'node:util';
import { Secret } from '../protocol/secret.js';
import { ageIdentity } from './age-identity.js';

const SECRET_BYTES = 32;
const KEY_BYTES = 32;
const FINGERPRINT_BYTES = 8;
/** 16 hex digits. */
export const FINGERPRINT = /^[0-9a-f]{16}$/;

/** A MAC of the one never passes for one of the other. */
export type MacPurpose = 'manifest-mac' | 'archive-mac';
type Purpose = MacPurpose | 'fingerprint' | 'age-identity' | 'restic-password' | 'earlier-secrets';

/** In memory. It prints as `[backup secret]` wherever it is logged, joined, inspected or put into JSON. */
export class BackupSecret {
  readonly #bytes: Buffer;
  /** Says which secret this is, and nothing else of it. */
  readonly fingerprint: string;

  /** @param text 32 bytes as base64url */
  constructor(text: Secret) {
    this.#bytes = Buffer.from(text.reveal(), 'base64url');
    if (this.#bytes.length !== SECRET_BYTES) throw new RangeError(`a backup secret has ${String(SECRET_BYTES)} bytes`);
    this.fingerprint = this.#derive('fingerprint', FINGERPRINT_BYTES).toString('hex');
  }

  /** 64 hex digits. */
  mac(purpose: MacPurpose, text: string): string {
    return createHmac('sha256', this.#derive(purpose)).update(text, 'utf8').digest('hex');
  }

  isMacOf(purpose: MacPurpose, text: string, mac: string): boolean {
    const [is, should] = [Buffer.from(mac, 'utf8'), Buffer.from(this.mac(purpose, text), 'utf8')];
    return is.length === should.length && timingSafeEqual(is, should);
  }

  /** For `restic`: 256 bits, 43 characters of base64url. */
  resticPassword(): Secret {
    return new Secret(this.#derive('restic-password').toString('base64url'));
  }

  /** `AGE-SECRET-KEY-1…`: opens whatever was encrypted under this secret. */
  ageIdentity(): Secret {
    return ageIdentity(this.#derive('age-identity'));
  }

  /** AES-256: seals the secrets that came before this one. */
  sealingKey(): Buffer {
    return this.#derive('earlier-secrets');
  }

  /** To be sealed, and only for that. */
  toText(): Secret {
    return new Secret(this.#bytes.toString('base64url'));
  }

  toString(): string {
    return '[backup secret]';
  }

  toJSON(): string {
    return '[backup secret]';
  }

  [inspect.custom](): string {
    return '[backup secret]';
  }

  #derive(purpose: Purpose, bytes = KEY_BYTES): Buffer {
    return Buffer.from(hkdfSync('sha256', this.#bytes, 'nexus3', JSON.stringify(['backup', purpose]), bytes));
  }
}

/** Every secret that is known, by fingerprint. */
export interface KnownSecrets {
  readonly present: BackupSecret;
  /** Of other root keys, most of them earlier ones. Not the present one. */
  readonly earlier: readonly BackupSecret[];
  /** Of earlier ones, by fingerprint, until when each was in force (ISO 8601). What is dated later it has not signed. */
  readonly until?: ReadonlyMap<string, string>;
  /** Why there may be more that are not known; undefined: nothing is wrong. */
  readonly fault: string | undefined;
}

export function secretNamed({ present, earlier }: KnownSecrets, fingerprint: string): BackupSecret | undefined {
  return [present, ...earlier].find((secret) => secret.fingerprint === fingerprint);
}

/** Whether a thing of that time cannot have been signed with it, because it was given up before. @returns since when, then */
export function givenUpBefore({ until }: KnownSecrets, fingerprint: string, at: number): string | undefined {
  const ended = until?.get(fingerprint);
  return ended !== undefined && at > Date.parse(ended) ? ended : undefined;
}
