/**
 * A file of age (age-encryption.org/v1, not armored), as a stream in constant memory: for the identity that is derived from
 * the backup secret, and for the recipients of nexus3.yaml, each of whom opens it with `age -d -i KEY` where nexus3 is not to
 * be had. The header is made and opened by the library; it is loaded when it is first needed.
 */
import { ageLibrary, isNoMatch } from '../age/library.js';
import { Nexus3Error } from '../errors.js';
import type { Secret } from '../protocol/secret.js';
import { openPayload, PAYLOAD_NONCE_BYTES, sealPayload } from './age-payload.js';
import { Unreadable } from './hashed-file.js';

const BEGIN = Buffer.from('age-encryption.org/v1\n', 'latin1');
/** Before the MAC, in the last line of a header. */
const LAST_LINE = Buffer.from('\n--- ', 'latin1');
/** Some 100 bytes a recipient. */
const HEADER_BYTES_MAX = 1024 * 1024;
/** What stands behind the header of a file that holds nothing: the payload's nonce, and the tag of an empty chunk. */
const EMPTY_PAYLOAD_BYTES = 32;

/** It is sealed, but for somebody else's key. */
export class ForeignKey extends Unreadable {}

/**
 * @param identity `AGE-SECRET-KEY-1…`, which opens it
 * @param recipients `age1…`, besides
 * @throws Nexus3Error CONFIG_INVALID for what is no recipient; and whatever `plain` throws
 */
export async function* seal(
  identity: Secret,
  recipients: readonly string[],
  plain: AsyncIterable<Buffer>,
): AsyncGenerator<Buffer> {
  const { Decrypter, Encrypter, identityToRecipient } = await ageLibrary();
  const encrypter = new Encrypter();
  encrypter.addRecipient(await identityToRecipient(identity.reveal()));
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw noRecipient(recipient, error);
    }
  }
  const ofNothing = await encrypter.encrypt(new Uint8Array());
  const header = ofNothing.subarray(0, ofNothing.length - EMPTY_PAYLOAD_BYTES);
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity.reveal());
  const fileKey = await decrypter.decryptHeader(header);
  yield Buffer.from(header);
  yield* sealPayload(fileKey, plain);
}

/** @param identities those that may open it @throws Unreadable, ForeignKey; and whatever `sealed` throws */
export async function* open(identities: readonly Secret[], sealed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const { header, nonce, payload } = await splitHeader(sealed);
  const { Decrypter } = await ageLibrary();
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity.reveal());
  let fileKey: Uint8Array;
  try {
    fileKey = await decrypter.decryptHeader(header);
  } catch (error) {
    if (isNoMatch(error)) throw new ForeignKey('no key that is known here opens it', { cause: error });
    const why = error instanceof Error ? error.message : '';
    throw new Unreadable(`its header is damaged: ${why}`, { cause: error });
  }
  yield* openPayload(fileKey, nonce, payload);
}

interface Split {
  readonly header: Buffer;
  readonly nonce: Buffer;
  readonly payload: AsyncIterable<Buffer>;
}

async function splitHeader(sealed: AsyncIterable<Buffer>): Promise<Split> {
  const source = sealed[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  for (;;) {
    const end = endOfHeader(head);
    if (end !== undefined && head.length >= end + PAYLOAD_NONCE_BYTES) {
      const at = end + PAYLOAD_NONCE_BYTES;
      return {
        header: head.subarray(0, end),
        nonce: head.subarray(end, at),
        payload: after(head.subarray(at), source),
      };
    }
    const next = head.length > HEADER_BYTES_MAX ? undefined : await source.next();
    if (next === undefined || next.done === true) {
      await source.return?.();
      throw new Unreadable('it is no file of age, or its header is cut short');
    }
    head = Buffer.concat([head, next.value]);
  }
}

function endOfHeader(head: Buffer): number | undefined {
  if (!head.subarray(0, BEGIN.length).equals(BEGIN.subarray(0, head.length))) {
    throw new Unreadable('it does not begin as a file of age does');
  }
  const last = head.indexOf(LAST_LINE);
  const end = last < 0 ? -1 : head.indexOf('\n', last + LAST_LINE.length);
  return end < 0 ? undefined : end + 1;
}

async function* after(first: Buffer, source: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  try {
    if (first.length > 0) yield first;
    for (let next = await source.next(); next.done !== true; next = await source.next()) yield next.value;
  } finally {
    await source.return?.();
  }
}

function noRecipient(recipient: string, cause: unknown): Nexus3Error {
  return new Nexus3Error('CONFIG_INVALID', 'One of the recipients of backups is none that age knows.', {
    evidence: [`backup.recipients: ${recipient}`],
    hint: 'Put in what `age-keygen` prints as the public key: it begins with age1.',
    cause,
  });
}
