/**
 * A text sealed with a passphrase in the age format (age-encryption.org/v1), armored, so that it can be printed, and so
 * that the program `age` opens it too, where nexus3 is not to be had.
 */
import { type AgeLibrary, ageLibrary, isNoMatch } from '../../age/library.js';
import { Nexus3Error } from '../../errors.js';
import type { Secret } from '../../protocol/secret.js';

/** A kit with a thousand environments has 2 MB. More than this is not read, and not made. */
export const KIT_BYTES_MAX = 64 * 1024 * 1024;
const ARMOR = '-----BEGIN AGE ENCRYPTED FILE-----';
const BINARY = 'age-encryption.org/v1\n';
/** The header of a file that is sealed with a passphrase has about 150 bytes. */
const HEADER_BYTES_MAX = 64 * 1024;

export async function sealText(text: string, passphrase: Secret): Promise<string> {
  const { armor, Encrypter } = await ageLibrary();
  const encrypter = new Encrypter();
  encrypter.setPassphrase(passphrase.reveal());
  return `${armor.encode(await encrypter.encrypt(text)).trimEnd()}\n`;
}

/** @throws Nexus3Error KIT_PASSPHRASE_WRONG, KIT_DAMAGED, KIT_FOREIGN */
export async function openText(file: Buffer, passphrase: Secret): Promise<string> {
  const { armor, Decrypter } = await ageLibrary();
  const bytes = unarmored(file, armor);
  refuseOtherLocks(bytes);
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase.reveal());
  try {
    return await decrypter.decrypt(bytes, 'text');
  } catch (error) {
    throw isNoMatch(error) ? wrongPassphrase() : damaged(error instanceof Error ? error.message : '');
  }
}

function unarmored(file: Buffer, armor: Pick<AgeLibrary['armor'], 'decode'>): Uint8Array {
  if (file.length > KIT_BYTES_MAX) throw foreign(`it has more than ${String(KIT_BYTES_MAX)} bytes`);
  if (file.subarray(0, BINARY.length).toString('latin1') === BINARY) return file;
  const text = file.toString('latin1').trim();
  if (!text.startsWith(ARMOR)) throw foreign('it does not begin as a file of age does');
  try {
    return armor.decode(text);
  } catch (error) {
    throw damaged(error instanceof Error ? error.message : '');
  }
}

/** A file of age may also be locked to somebody’s key: then no passphrase opens it. */
function refuseOtherLocks(bytes: Uint8Array): void {
  const text = Buffer.from(bytes.subarray(0, HEADER_BYTES_MAX)).toString('latin1');
  const [header, rest] = text.split('\n--- ', 2);
  if (header === undefined || rest === undefined || !header.startsWith(BINARY))
    throw damaged('its header is cut short');
  const locks = header.split('\n').filter((line) => line.startsWith('-> '));
  if (!locks.some((line) => line.startsWith('-> scrypt ')))
    throw foreign('it is sealed for a key, not with a passphrase');
}

function wrongPassphrase(): Nexus3Error {
  return new Nexus3Error('KIT_PASSPHRASE_WRONG', 'The passphrase does not open this recovery kit.', {
    evidence: ['nothing was changed'],
    hint: 'Run it again with the passphrase that the kit was made with. Nobody can open it without.',
  });
}

function damaged(why: string): Nexus3Error {
  return new Nexus3Error('KIT_DAMAGED', 'The recovery kit is cut short or was changed.', {
    evidence: why === '' ? [] : [why],
    hint: 'Use another copy of it; nothing was changed.',
  });
}

/** @param why never a piece of the content */
export function foreign(why: string): Nexus3Error {
  return new Nexus3Error('KIT_FOREIGN', 'That file is not a recovery kit.', {
    evidence: [why],
    hint: 'Name the file that `nexus3 locker export --recovery FILE` has written; nothing was changed.',
  });
}
