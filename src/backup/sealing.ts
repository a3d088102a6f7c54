/**
 * How what goes into the repository is closed to others and proven later: for the snapshots, and for the parts of the
 * history archive. Streams in, streams out, in constant memory.
 *
 *     write:  writeNewFile(`${name}${sealing.suffix}`, sealing.seal(plain))
 *     read:   sealing.open(name, file.chunks), where the name says whether it is sealed: both kinds may lie side by side
 *     index:  sealing.prove(text) gives a MAC to store with it, sealing.believe(text, mac, what) throws where it does not fit
 */
import type { BackupPolicy } from '../config/configuration.js';
import { Nexus3Error } from '../errors.js';
import { givenUpBefore, type KnownSecrets, secretNamed } from './backup-secret.js';
import { keyUnknown } from './faults.js';
import { open, seal } from './sealed-file.js';

const SUFFIX = '.age';

/** As it lies in the repository. */
export interface Mac {
  /** Fingerprint of the backup secret. */
  readonly key: string;
  /** 64 hex digits. */
  readonly value: string;
}

export interface Sealing {
  /** Of what is written now. */
  readonly suffix: '' | '.age';
  seal(plain: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  /**
   * @param file its name, or path
   * @throws Unreadable while it flows, and ForeignKey, which is one: the caller says of what (`damaged`, `keyUnknown` in
   *   faults.ts). What came is as it was sealed; that nothing is missing is known when it ends.
   */
  open(file: string, stored: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  prove(text: string): Promise<Mac>;
  /**
   * @param what `The history of track`, for a person
   * @returns whether what is dated so (milliseconds since 1970) is too late for the key that signed it; since when, then
   * @throws Nexus3Error BACKUP_INVALID, BACKUP_KEY_UNKNOWN, ROOT_KEY_…
   */
  believe(text: string, mac: Mac, what: string): Promise<(at: number) => string | undefined>;
}

export function openSealing(
  policy: Pick<BackupPolicy, 'encrypt' | 'recipients'>,
  secrets: () => Promise<KnownSecrets>,
): Sealing {
  return {
    suffix: policy.encrypt ? SUFFIX : '',
    seal: (plain) => (policy.encrypt ? sealed(plain, policy.recipients, secrets) : plain),
    open: (file, stored) => (file.endsWith(SUFFIX) ? opened(stored, secrets) : stored),
    prove: async (text) => {
      const { present } = await secrets();
      return { key: present.fingerprint, value: present.mac('archive-mac', text) };
    },
    believe: async (text, mac, what) => {
      const known = await secrets();
      const secret = secretNamed(known, mac.key);
      if (secret === undefined) throw keyUnknown(what, mac.key, known.fault);
      if (secret.isMacOf('archive-mac', text, mac.value)) return (at) => givenUpBefore(known, mac.key, at);
      throw new Nexus3Error('BACKUP_INVALID', `${what} cannot be believed.`, {
        evidence: ['its MAC does not fit: it was changed after it was written'],
        hint: 'If there is a copy off this machine, fetch it from there. Ask yourself who can write into the repository.',
      });
    },
  };
}

async function* sealed(
  plain: AsyncIterable<Buffer>,
  recipients: readonly string[],
  secrets: () => Promise<KnownSecrets>,
): AsyncGenerator<Buffer> {
  const { present } = await secrets();
  yield* seal(present.ageIdentity(), recipients, plain);
}

async function* opened(stored: AsyncIterable<Buffer>, secrets: () => Promise<KnownSecrets>): AsyncGenerator<Buffer> {
  const { present, earlier } = await secrets();
  const identities = [present, ...earlier].map((secret) => secret.ageIdentity());
  yield* open(identities, stored);
}
