/**
 * A repository of restic whose password is cheap to try. restic measures the machine when it makes a key, so that each try
 * takes half a second; a story has a dozen of them. The key is opened and sealed again in restic's own format (scrypt,
 * AES-256-CTR, Poly1305-AES), with a scrypt that is as weak as restic reads. For tests alone.
 */
import { createCipheriv, createDecipheriv, createHash, scryptSync } from 'node:crypto';
import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const WEAK = { N: 2, r: 8, p: 1 } as const;
const IV_BYTES = 16;
const MAC_BYTES = 16;
const SCRYPT_MEMORY_MAX = 256 * 1024 * 1024;

interface KeyFile {
  readonly N: number;
  readonly r: number;
  readonly p: number;
  /** Base64. */
  readonly salt: string;
  readonly data: string;
}

/** All keys that the password opens; others stay. */
export async function weakenKeys(repository: string, password: string): Promise<void> {
  const folder = join(repository, 'keys');
  for (const name of await readdir(folder)) {
    const key = JSON.parse(await readFile(join(folder, name), 'utf8')) as KeyFile;
    const { salt } = key;
    const data = Buffer.from(key.data, 'base64');
    const [iv, sealed] = [data.subarray(0, IV_BYTES), data.subarray(IV_BYTES, -MAC_BYTES)];
    const old = derive(password, salt, key);
    if (!poly1305Aes(old, iv, sealed).equals(data.subarray(-MAC_BYTES))) continue;
    const decipher = createDecipheriv('aes-256-ctr', old.encrypt, iv);
    const plain = Buffer.concat([decipher.update(sealed), decipher.final()]);
    const weak = derive(password, salt, WEAK);
    const cipher = createCipheriv('aes-256-ctr', weak.encrypt, iv);
    const again = Buffer.concat([cipher.update(plain), cipher.final()]);
    const text = JSON.stringify({
      ...key,
      ...WEAK,
      data: Buffer.concat([iv, again, poly1305Aes(weak, iv, again)]).toString('base64'),
    });
    await chmod(join(folder, name), 0o600);
    await rm(join(folder, name));
    await writeFile(join(folder, createHash('sha256').update(text).digest('hex')), text);
  }
}

interface Derived {
  readonly encrypt: Buffer;
  readonly k: Buffer;
  readonly r: Buffer;
}

function derive(password: string, salt: string, { N, r, p }: Pick<KeyFile, 'N' | 'r' | 'p'>): Derived {
  const bytes = scryptSync(password, Buffer.from(salt, 'base64'), 64, { N, r, p, maxmem: SCRYPT_MEMORY_MAX });
  return { encrypt: bytes.subarray(0, 32), k: bytes.subarray(32, 48), r: bytes.subarray(48, 64) };
}

function poly1305Aes({ k, r }: Derived, nonce: Buffer, text: Buffer): Buffer {
  const cipher = createCipheriv('aes-128-ecb', k, null).setAutoPadding(false);
  const s = number(cipher.update(nonce));
  const multiplier = number(r) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  const prime = (1n << 130n) - 5n;
  let sum = 0n;
  for (let at = 0; at < text.length; at += 16) {
    const block = Buffer.concat([text.subarray(at, at + 16), Buffer.from([1])]);
    sum = ((sum + number(block)) * multiplier) % prime;
  }
  const tag = (sum + s) & ((1n << 128n) - 1n);
  return Buffer.from(tag.toString(16).padStart(32, '0'), 'hex').reverse();
}

/** Little-endian. */
function number(bytes: Buffer): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
