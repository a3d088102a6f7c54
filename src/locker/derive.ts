/** What is derived from the root key, and therefore stored nowhere: Locker's own credentials, and the key over its keys. */
import { type Credentials, makeCredentials } from '../protocol/users.js';
import { Secret } from '../protocol/secret.js';
import type { RootKey } from './root-key.js';

const PASSWORD_BYTES = 32;
const KEY_BYTES = 32;
const FINGERPRINT_BYTES = 8;

/** Locker's own users on 6720, needed before Locker can be asked: 256 bits each, 43 characters of base64url. */
export function deriveOwnCredentials(rootKey: RootKey, generation: number = rootKey.generation): Credentials {
  return makeCredentials((name) => {
    const bytes = rootKey.derive(['locker-credential', name, generation], PASSWORD_BYTES);
    return new Secret(bytes.toString('base64url'));
  });
}

/** Wraps the data keys; see envelope.ts. */
export function deriveKeyEncryptionKey(rootKey: RootKey): Buffer {
  return rootKey.derive(['locker-key-encryption-key'], KEY_BYTES);
}

/** Of backups: src/backup/ derives from it whatever it needs, and never sees the root key. 32 bytes as base64url. */
export function deriveBackupSecret(rootKey: RootKey): Secret {
  return new Secret(rootKey.derive(['backup-secret'], KEY_BYTES).toString('base64url'));
}

/** Says whether two root keys are the same one, and nothing else of them. */
export function fingerprintOf(rootKey: RootKey): string {
  return rootKey.derive(['root-key-fingerprint'], FINGERPRINT_BYTES).toString('hex');
}
