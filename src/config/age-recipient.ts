/** Whom a backup may be encrypted for besides: a public key of age, `age1…`. Pure. */

/** `age` as bech32 takes it into the check sum: the upper bits of each letter, 0, the lower ones. */
const PREFIX = [3, 3, 3, 0, 1, 7, 5];
/** `age1`, 52 characters of key, 6 of check sum. */
const RECIPIENT = /^age1([02-9ac-hj-np-z]{58})$/;
const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const GENERATOR = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3];

/** A typing mistake in one would make backups that nobody can open: the check sum (bech32, BIP 173) finds it. */
export function isAgeRecipient(text: string): boolean {
  const data = RECIPIENT.exec(text)?.[1];
  if (data === undefined) return false;
  const values = Array.from(data, (character) => ALPHABET.indexOf(character));
  return checkSum([...PREFIX, ...values]) === 1;
}

/** Secret: not to be quoted. */
export function looksLikeAgeIdentity(text: string): boolean {
  return /age-secret-key-/i.test(text);
}

function checkSum(values: readonly number[]): number {
  let sum = 1;
  for (const value of values) {
    const top = sum >>> 25;
    sum = ((sum & 0x1ffffff) << 5) ^ value;
    for (const [bit, generator] of GENERATOR.entries()) if ((top >> bit) & 1) sum ^= generator;
  }
  return sum;
}
