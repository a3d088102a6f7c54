/** What is derived from the root key, and therefore stored nowhere: Locker's own credentials, and the key over its keys. */
import { CREDENTIAL_NAMES, type Credentials } from '../protocol/users.js';
import { Secret } from '../protocol/secret.js';
import type { RootKey } from './root-key.js';

/** Locker's own credentials begin with this one; a rotation of them counts up. */
export const FIRST_GENERATION = 1;

const PASSWORD_BYTES = 32;
const KEY_BYTES = 32;

/** Locker's own users on 6720, needed before Locker can be asked: 256 bits each, 43 characters of base64url. */
export function deriveOwnCredentials(rootKey: RootKey, generation: number = FIRST_GENERATION): Credentials {
  const entries = CREDENTIAL_NAMES.map((name) => {
    const bytes = rootKey.derive(['locker-credential', name, generation], PASSWORD_BYTES);
    return [name, new Secret(bytes.toString('base64url'))] as const;
  });
  return Object.fromEntries(entries) as Credentials;
}

/** Wraps the data keys; see envelope.ts. */
export function deriveKeyEncryptionKey(rootKey: RootKey): Buffer {
  return rootKey.derive(['locker-key-encryption-key'], KEY_BYTES);
}
