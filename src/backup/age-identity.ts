/** An X25519 identity as age writes it: `AGE-SECRET-KEY-1…`, which is Bech32 (BIP 173) of its 32 bytes. Pure. */
import { Secret } from '../protocol/secret.js';

const ALPHABET = 'qpzry9x8gf2tvdw0s3jn54khce6mua7l';
const PREFIX = 'age-secret-key-';
const GENERATORS = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3] as const;
const CHECKSUM_WORDS = 6;

export function ageIdentity(bytes: Buffer): Secret {
  const words = fiveBitWords(bytes);
  const text = [...words, ...checksum(words)].map((word) => ALPHABET.charAt(word)).join('');
  return new Secret(`${PREFIX}1${text}`.toUpperCase());
}

function fiveBitWords(bytes: Buffer): readonly number[] {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  return (bits.match(/.{1,5}/g) ?? []).map((word) => Number.parseInt(word.padEnd(5, '0'), 2));
}

function checksum(words: readonly number[]): readonly number[] {
  const codes = [...Buffer.from(PREFIX, 'latin1')];
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)];
  const sum = polymod([...expanded, ...words, ...new Array<number>(CHECKSUM_WORDS).fill(0)]) ^ 1;
  return Array.from({ length: CHECKSUM_WORDS }, (_, index) => (sum >> (5 * (CHECKSUM_WORDS - 1 - index))) & 31);
}

function polymod(words: readonly number[]): number {
  return words.reduce((sum, word) => {
    const top = sum >> 25;
    const next = ((sum & 0x1ffffff) << 5) ^ word;
    return GENERATORS.reduce((mixed, generator, bit) => (((top >> bit) & 1) === 1 ? mixed ^ generator : mixed), next);
  }, 1);
}
