/** Files of age: opened by the real `age`, made by the real `age`, and refused when anything in them is another. */
import { execFile } from 'node:child_process';
import { createCipheriv, hkdfSync, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chunksOf, someSecret } from '../../test/support/backup-repository.js';
import { AGE, findOrInstall } from '../../test/support/debian-program.js';
import type { Secret } from '../protocol/secret.js';
import { openPayload } from './age-payload.js';
import { BackupSecret } from './backup-secret.js';
import { Unreadable } from './hashed-file.js';
import { ForeignKey, open, seal } from './sealed-file.js';

const run = promisify(execFile);
const hasAge = await findOrInstall(AGE);
const KIB = 1024;
const CHUNK = 64 * KIB;
/** Where a chunk ends, and beside it. */
const SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 17] as const;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-sealed-'));
});
afterAll(() => rm(folder, { recursive: true }));

const all = async (source: AsyncIterable<Buffer>): Promise<Buffer> => {
  const chunks: Buffer[] = [];
  for await (const chunk of source) chunks.push(chunk);
  return Buffer.concat(chunks);
};
const identityOf = (): Secret => new BackupSecret(someSecret()).ageIdentity();
const identity = identityOf();
const sealed = (plain: Buffer, recipients: readonly string[] = []): Promise<Buffer> =>
  all(seal(identity, recipients, chunksOf(plain)));
const opened = (file: Buffer, ...identities: readonly Secret[]): Promise<Buffer> =>
  all(open(identities.length === 0 ? [identity] : identities, chunksOf(file)));

async function recipientOf(key: Secret): Promise<{ readonly path: string; readonly recipient: string }> {
  const path = join(folder, `${randomBytes(4).toString('hex')}.key`);
  await writeFile(path, `${key.reveal()}\n`, { mode: 0o600 });
  const { stdout } = await run('age-keygen', ['-y', path]);
  return { path, recipient: stdout.trim() };
}

describe('a sealed file', () => {
  it.runIf(hasAge).each(SIZES)(
    'of %i bytes is opened by age, with the derived identity and with a recipient’s own key',
    async (size) => {
      const plain = randomBytes(size);
      const own = await recipientOf(identity);
      const other = await recipientOf(identityOf());
      const file = join(folder, `${String(size)}.age`);
      await writeFile(file, await sealed(plain, [other.recipient]));
      for (const { path } of [own, other]) {
        const { stdout } = await run('age', ['-d', '-i', path, file], { encoding: 'buffer' });
        expect(stdout.equals(plain), path).toBe(true);
      }
      expect((await opened(await readFile(file))).equals(plain)).toBe(true);
    },
  );

  it.runIf(hasAge).each(SIZES)('of %i bytes that age has made is opened', async (size) => {
    const plain = randomBytes(size);
    const { recipient } = await recipientOf(identity);
    const [from, to] = [join(folder, 'plain'), join(folder, 'made.age')];
    await writeFile(from, plain);
    await run('age', ['-r', recipient, '-o', to, from]);
    expect((await opened(await readFile(to), identityOf(), identity)).equals(plain)).toBe(true);
  });

  it('is the same however it is cut into pieces', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 3 * CHUNK }), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 3000 }), sizes, sizes, async (seed, into, from) => {
        const plain = Buffer.concat(Array.from({ length: 60 }, () => Buffer.from(seed)));
        const file = await all(seal(identity, [], cut(plain, into)));
        expect((await all(open([identity], cut(file, from)))).equals(plain)).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  it('that is for somebody else says so', async () => {
    const file = await sealed(randomBytes(10));
    await expect(opened(file, identityOf(), identityOf())).rejects.toBeInstanceOf(ForeignKey);
  });

  it('with any byte changed is refused', async () => {
    const file = await sealed(randomBytes(2 * CHUNK + 5));
    const places = [...Array(200).keys(), CHUNK, CHUNK + 300, file.length - 40, file.length - 1, file.length - 20];
    for (const place of places) {
      const changed = Buffer.from(file);
      changed[place] = (changed[place] ?? 0) ^ 1;
      const found = await opened(changed).catch((error: unknown) => error);
      expect(found instanceof Unreadable, `byte ${String(place)}: ${file.subarray(0, 200).toString('latin1')}`).toBe(
        true,
      );
    }
  });

  it('cut short anywhere, also between two chunks, is refused', async () => {
    const file = await sealed(randomBytes(3 * CHUNK));
    const payload = file.length - 3 * (CHUNK + 16);
    const lengths = [0, 1, 30, payload - 20, payload - 1, payload, payload + 5, payload + 16];
    for (const length of [...lengths, payload + CHUNK + 16, payload + 2 * (CHUNK + 16), file.length - 1]) {
      await expect(opened(file.subarray(0, length)), String(length)).rejects.toBeInstanceOf(Unreadable);
    }
  });

  it('with chunks in another order, twice, or from another file is refused', async () => {
    const [file, other] = [await sealed(randomBytes(3 * CHUNK)), await sealed(randomBytes(3 * CHUNK))];
    const at = file.length - 3 * (CHUNK + 16);
    const chunk = (from: Buffer, index: number): Buffer =>
      from.subarray(at + index * (CHUNK + 16)).subarray(0, CHUNK + 16);
    const head = file.subarray(0, at);
    const bad: readonly (readonly Buffer[])[] = [
      [chunk(file, 1), chunk(file, 0), chunk(file, 2)],
      [chunk(file, 0), chunk(file, 0), chunk(file, 1), chunk(file, 2)],
      [chunk(file, 0), chunk(file, 2)],
      [chunk(file, 0), chunk(other, 1), chunk(file, 2)],
      [chunk(file, 0), chunk(file, 1), chunk(file, 2), randomBytes(16)],
      [chunk(file, 0), chunk(file, 1), chunk(file, 2), chunk(file, 2)],
    ];
    for (const chunks of bad) {
      await expect(opened(Buffer.concat([head, ...chunks]))).rejects.toBeInstanceOf(Unreadable);
    }
    expect((await opened(Buffer.concat([head, chunk(file, 0), chunk(file, 1), chunk(file, 2)]))).length).toBe(
      3 * CHUNK,
    );
  });

  it('that ends with an empty chunk, which age does not make, is refused', async () => {
    const [fileKey, nonce] = [randomBytes(16), randomBytes(16)];
    const key = Buffer.from(hkdfSync('sha256', fileKey, nonce, 'payload', 32));
    const sealedChunk = (plain: Buffer, chunkNonce: readonly number[]): Buffer => {
      const cipher = createCipheriv('chacha20-poly1305', key, Buffer.from(chunkNonce), { authTagLength: 16 });
      return Buffer.concat([cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
    };
    const [zeros, last] = [new Array<number>(10).fill(0), [1]];
    const full = sealedChunk(Buffer.alloc(CHUNK), [...zeros, 0, 0]);
    const good = Buffer.concat([full, sealedChunk(Buffer.alloc(1), [...zeros, 1, ...last])]);
    expect((await all(openPayload(fileKey, nonce, chunksOf(good)))).length).toBe(CHUNK + 1);
    const bad = Buffer.concat([full, sealedChunk(Buffer.alloc(0), [...zeros, 1, ...last])]);
    await expect(all(openPayload(fileKey, nonce, chunksOf(bad)))).rejects.toBeInstanceOf(Unreadable);
  });

  it('that never comes to the end of its header is given up', async () => {
    const endless = async function* (): AsyncGenerator<Buffer> {
      yield await Promise.resolve(Buffer.from('age-encryption.org/v1\n-> X25519 '));
      for (;;) yield Buffer.alloc(CHUNK, 'a');
    };
    await expect(all(open([identity], endless()))).rejects.toBeInstanceOf(Unreadable);
    await expect(opened(Buffer.from('REDIS0011'))).rejects.toBeInstanceOf(Unreadable);
  });

  it('is not made for what is no recipient', async () => {
    for (const recipient of ['age1nonsense', 'ssh-ed25519 AAAA', '']) {
      await expect(sealed(randomBytes(1), [recipient]), recipient).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    }
  });
});

async function* cut(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer> {
  let at = 0;
  for (const size of sizes) {
    yield await Promise.resolve(bytes.subarray(at, at + size));
    at += size;
  }
  yield bytes.subarray(at);
}
