/** Recovery kits: made of this Locker, and opened. When they are used is decided in src/reconcile/kit/. */
import { dirname } from 'node:path';
import { Nexus3Error } from '../../errors.js';
import { makeFolder } from '../../files.js';
import type { Secret } from '../../protocol/secret.js';
import { parseAclUser, passwordHash } from '../../protocol/users.js';
import type {
  KeyInstallation,
  KitContent,
  KitOrigin,
  KitSteps,
  RecoveryKit,
  Restored,
  RestoreOptions,
} from '../custody.js';
import { deriveOwnCredentials, fingerprintOf } from '../derive.js';
import { KEY, KIT_FIELD } from '../keys.js';
import { moveKey, removeKey, writeKey } from '../rekey/key-files.js';
import type { CustodyParts } from '../rekey/rekeying.js';
import { RootKeyPlaceOnDisk } from '../rekey/root-key-place.js';
import { readRootKey } from '../root-key-file.js';
import { FIRST_GENERATION } from '../root-key.js';
import { KIT_BYTES_MAX, openText, sealText } from './age-file.js';
import { contentOf, type OpenedDocument, parseKit, renderKit } from './document.js';
import { dumpLocker } from './dump.js';
import { restoreLocker } from './restore.js';

/** So many rotations of Locker's own passwords may have come after a kit. */
const GENERATIONS_TRIED_MAX = 1_000;
const KEY_FOLDER_MODE = 0o700;

export class RecoveryKits implements KitSteps {
  readonly #parts: CustodyParts;

  constructor(parts: CustodyParts) {
    this.#parts = parts;
  }

  async seal(passphrase: Secret, origin: KitOrigin): Promise<{ readonly text: string; readonly content: KitContent }> {
    const { root } = await this.#parts.keys.load(false);
    const hashes = await dumpLocker(await this.#parts.database());
    const document = { ...origin, rootKey: root.toText().trim(), hashes };
    const text = renderKit(document);
    if (Buffer.byteLength(text, 'utf8') > KIT_BYTES_MAX / 2) {
      throw new Nexus3Error('KIT_TOO_LARGE', 'Locker holds more than fits into a recovery kit.', {
        evidence: [`more than ${String(KIT_BYTES_MAX / 2)} bytes`],
        hint: 'Keep a copy of root.key and a backup of Locker’s data folder instead.',
      });
    }
    return { text: await sealText(text, passphrase), content: contentOf(document) };
  }

  async note(createdAt: string): Promise<void> {
    const database = await this.#parts.database();
    await database.ask([['HSET', KEY.kit, KIT_FIELD.madeAt, createdAt, KIT_FIELD.rootKey, database.fingerprint]]);
    await database.durable();
  }

  async open(file: Buffer, passphrase: Secret): Promise<RecoveryKit> {
    return new OpenedKit(this.#parts, parseKit(await openText(file, passphrase)));
  }
}

class OpenedKit implements RecoveryKit {
  readonly #parts: CustodyParts;
  readonly #opened: OpenedDocument;
  #aside: string | null = null;
  readonly origin: KitOrigin;
  readonly content: KitContent;

  constructor(parts: CustodyParts, opened: OpenedDocument) {
    this.#parts = parts;
    this.#opened = opened;
    const { createdAt, host, nexus3 } = opened.document;
    this.origin = { createdAt, host, nexus3 };
    this.content = contentOf(opened.document);
  }

  async compareRootKey(): ReturnType<RecoveryKit['compareRootKey']> {
    const { path } = this.#parts.keys;
    const state = await new RootKeyPlaceOnDisk(path).state();
    if (state !== 'there') return state;
    return (await readRootKey(path))?.equals(this.#opened.rootKey) === true ? 'same' : 'other';
  }

  opensUsers(usersAcl: string): boolean {
    return this.#generationOf(usersAcl) !== undefined;
  }

  async installRootKey({ usersAcl, hasData, stamp }: KeyInstallation): Promise<string | null> {
    const { path } = this.#parts.keys;
    const { rootKey } = this.#opened;
    const generation = usersAcl === undefined ? undefined : this.#generationOf(usersAcl);
    const place = new RootKeyPlaceOnDisk(path);
    this.#aside = (await place.state()) === 'missing' ? null : place.asidePath(stamp);
    // The audit lies in Locker's data, and what is remembered of it belongs to those.
    await place.moveAside(stamp, true, hasData ? 'goes-on' : 'begins-anew');
    await makeFolder(dirname(path), { mode: KEY_FOLDER_MODE });
    await writeKey(path, generation === undefined ? rootKey : rootKey.withGenerations(generation));
    return this.#aside;
  }

  async withdrawRootKey(): Promise<void> {
    const { path } = this.#parts.keys;
    if (this.#aside === null) await removeKey(path);
    else await moveKey(this.#aside, path);
  }

  async restore(options: RestoreOptions): Promise<Restored> {
    const restored = await restoreLocker(await this.#parts.database(), this.#opened.document, options);
    await this.#noteThisKit();
    return restored;
  }

  /** There is a kit for this root key: this one. A later one is not forgotten for it. */
  async #noteThisKit(): Promise<void> {
    const database = await this.#parts.database();
    const [noted] = await database.ask([['HGET', KEY.kit, KIT_FIELD.rootKey]]);
    if (noted === fingerprintOf(this.#opened.rootKey)) return;
    await new RecoveryKits(this.#parts).note(this.origin.createdAt);
  }

  #generationOf(usersAcl: string): number | undefined {
    const users = usersAcl.split('\n').map(parseAclUser);
    const hashes = new Set(users.find((user) => user?.name === 'default')?.passwordHashes);
    for (let generation = FIRST_GENERATION; generation <= GENERATIONS_TRIED_MAX; generation += 1) {
      const { default: password } = deriveOwnCredentials(this.#opened.rootKey, generation);
      if (hashes.has(passwordHash(password))) return generation;
    }
    return undefined;
  }
}
