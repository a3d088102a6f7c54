/** The steps of `locker rekey`, as far as they are Locker's; their order is in src/reconcile/rekey.ts. */
import { Nexus3Error } from '../../errors.js';
import type { Secret } from '../../protocol/secret.js';
import type { Credentials } from '../../protocol/users.js';
import type { LockerConnection } from '../channel.js';
import type { RekeySteps } from '../custody.js';
import { type HashAddress, LockerDatabase } from '../database.js';
import { deriveKeyEncryptionKey, deriveOwnCredentials } from '../derive.js';
import { DataKey, type Slot } from '../envelope.js';
import type { KeyRing } from '../key-ring.js';
import { readRootKey } from '../root-key-file.js';
import { RootKey } from '../root-key.js';
import { droppedFrom, FIELD, type SealedHash, toFields, unreadable } from '../sealed-hash.js';
import { parseRecord, type TokenRecord } from '../token/registry.js';
import { resealed, TOKENS } from '../token/reseal.js';
import { keyFiles, moveKey, removeKey, writeKey } from './key-files.js';
import { inBatches, sealedHashes } from './scan.js';

/** How often everything is gone through because others add to it meanwhile. */
const PASSES_MAX = 20;
/** How often one batch is tried again because others changed it meanwhile. */
const RACES_MAX = 10;
const FIRST_VERSION = 1;
/** What was before is dropped where it does not open. */
const NEEDED_SLOTS: readonly Slot[] = ['value', 'next'];

export interface CustodyParts {
  readonly keys: KeyRing;
  /** Connects to Locker's vault as its `default` user with this password. */
  connect(password: Secret): Promise<LockerConnection>;
  /** Told what went wrong beside what was asked for, a sentence each. */
  readonly warn: (text: string) => void;
  /** Under the root key in use. */
  database(): Promise<LockerDatabase>;
}

/**
 * The commands that make one hash what it should be; none for one that already is.
 * @param tokens those that go on opening something
 */
type Rewrap = (hash: SealedHash, key: string, tokens: readonly TokenRecord[]) => readonly (readonly string[])[];

export class Rekeying implements RekeySteps {
  readonly #parts: CustodyParts;

  constructor(parts: CustodyParts) {
    this.#parts = parts;
  }

  async state(): ReturnType<RekeySteps['state']> {
    const { root } = await this.#parts.keys.load(false);
    const { next, previous } = await this.#siblings();
    const phase = next !== undefined ? 'prepared' : previous !== undefined ? 'committed' : 'none';
    return { phase, rotating: root.alsoAccepted !== undefined };
  }

  async prepare(): Promise<void> {
    await writeKey(keyFiles(this.#parts.keys.path).next, RootKey.generate());
  }

  async openToNext(): Promise<number> {
    const { root, next } = await this.#prepared();
    const database = await this.#parts.database();
    const [oldKey, nextKey] = [deriveKeyEncryptionKey(root), deriveKeyEncryptionKey(next)];
    const rewrap: Rewrap = ({ fields, place, label }, key) => {
      const added = fields.get(FIELD.nextDataKey);
      if (added !== undefined && DataKey.unwrap(nextKey, place, added) !== undefined) return [];
      const dataKey = DataKey.unwrap(oldKey, place, fields.get(FIELD.dataKey) ?? '');
      if (dataKey === undefined) throw unreadable(label, 'its data key does not open with this root key');
      return [['HSET', key, FIELD.nextDataKey, dataKey.wrap(nextKey, place, FIRST_VERSION)]];
    };
    await this.#rewrapAll(database, rewrap);
    // As somebody would who has nothing but the next key.
    const asNext = new LockerDatabase(next, () => this.#parts.connect(deriveOwnCredentials(next).default));
    try {
      return await openEverything(asNext);
    } finally {
      await asNext.close();
    }
  }

  /** The old key's copy is durable before the rename, and needed until nothing is under it any more. */
  async commit(): Promise<void> {
    const { root } = await this.#prepared();
    const { path } = this.#parts.keys;
    const { next, previous } = keyFiles(path);
    await writeKey(previous, root);
    await moveKey(next, path);
  }

  /**
   * Also what a run that still knew the old key has added meanwhile. To wrap the same data key anew would not do: who has
   * seen the old root key, and an append-only file from before, has that data key. So everything is sealed anew, under
   * another one.
   */
  async closeToOld(): Promise<number> {
    const { root } = await this.#parts.keys.load(false);
    const database = await this.#parts.database();
    const ownKey = deriveKeyEncryptionKey(root);
    const dropped = new Map<string, string>();
    const hashes = await this.#rewrapAll(database, (hash, key, tokens) => {
      const { fields, place, label } = hash;
      const isOwn = DataKey.unwrap(ownKey, place, fields.get(FIELD.dataKey) ?? '') !== undefined;
      if (isOwn && !fields.has(FIELD.nextDataKey)) return [];
      if (!hash.opens) throw unreadable(label, 'its data key opens with neither root key');
      // There is no way back from here: what does not open must not be in the way.
      const anew = resealed(key, hash, tokens, 'stays');
      if (anew.dropped.length > 0) dropped.set(key, droppedFrom(label, anew.dropped));
      return anew.commands;
    });
    for (const text of dropped.values()) this.#parts.warn(text);
    return hashes;
  }

  async oldCredentials(): Promise<Credentials | undefined> {
    const { previous } = await this.#siblings();
    return previous === undefined ? undefined : deriveOwnCredentials(previous);
  }

  async proveOldRefused(): Promise<void> {
    const old = await this.oldCredentials();
    if (old === undefined) return;
    try {
      (await this.#parts.connect(old.default)).close();
    } catch (error) {
      if (error instanceof Nexus3Error && error.code === 'REDIS_REPLY_UNEXPECTED') return;
      throw error;
    }
    throw new Nexus3Error('NOT_PROVEN', 'Locker still accepts a password of the old root key.', {
      evidence: ['user default'],
      hint: 'The old key is kept until that is not so any more: run `nexus3 locker rekey` again.',
    });
  }

  async finish(): Promise<void> {
    await removeKey(keyFiles(this.#parts.keys.path).previous);
  }

  async #siblings(): Promise<{ readonly next: RootKey | undefined; readonly previous: RootKey | undefined }> {
    const { next, previous } = keyFiles(this.#parts.keys.path);
    return { next: await readRootKey(next), previous: await readRootKey(previous) };
  }

  async #prepared(): Promise<{ readonly root: RootKey; readonly next: RootKey }> {
    const { root } = await this.#parts.keys.load(false);
    const { next } = await this.#siblings();
    if (next === undefined) throw new Error('no next root key was prepared');
    return { root, next };
  }

  /** Goes through all hashes until a pass finds nothing to do, and is durable then. @returns how many there are */
  async #rewrapAll(database: LockerDatabase, rewrap: Rewrap): Promise<number> {
    for (let pass = 0; pass < PASSES_MAX; pass += 1) {
      const hashes = await sealedHashes(database);
      let changed = 0;
      for (const batch of inBatches(hashes)) changed += await rewrapBatch(database, batch, rewrap);
      if (changed > 0) continue;
      await database.durable();
      return hashes.length;
    }
    throw tooBusy();
  }
}

/** As one transaction, which holds only if nobody has changed these hashes since they were read. */
async function rewrapBatch(database: LockerDatabase, batch: readonly HashAddress[], rewrap: Rewrap): Promise<number> {
  return database.inTurn(async (connection) => {
    for (let race = 0; race < RACES_MAX; race += 1) {
      const [, tokens, ...replies] = await connection.ask([
        // Which tokens go on opening what is to hold for the same instant.
        ['WATCH', TOKENS.key, ...batch.map(({ key }) => key)],
        ['HGETALL', TOKENS.key],
        ...batch.map(({ key }) => ['HGETALL', key]),
      ]);
      const staying = stayingTokens(database.hash(TOKENS, tokens));
      const commands = batch.flatMap((address, index) => {
        const hash = database.hash(address, replies[index]);
        // Removed since the scan.
        return hash.fields.size === 0 ? [] : rewrap(hash, address.key, staying);
      });
      if (commands.length === 0) return 0;
      const executed = await connection.ask([['MULTI'], ...commands, ['EXEC']]);
      if (executed.at(-1) !== null) return commands.length;
    }
    throw tooBusy();
  });
}

/** A record that does not open is one that `openToNext` has refused, or that somebody has changed since. */
function stayingTokens(hash: SealedHash): readonly TokenRecord[] {
  if (!hash.opens) return [];
  return hash
    .names('value')
    .filter((id) => !hash.isBroken('value', id))
    .flatMap((id) => parseRecord(id, hash.open('value', id)?.reveal() ?? '') ?? [])
    .filter(({ revoked }) => !revoked);
}

/** @throws Nexus3Error LOCKER_VALUE_UNREADABLE, LOCKER_VALUE_TAMPERED */
async function openEverything(database: LockerDatabase): Promise<number> {
  const hashes = await sealedHashes(database);
  for (const batch of inBatches(hashes)) {
    const replies = await database.ask(batch.map(({ key }) => ['HGETALL', key]));
    for (const [index, address] of batch.entries()) {
      const fields = toFields(replies[index]);
      // Removed, or made by somebody else after all others were given the next key: closeToOld sees to that one.
      if (fields.has(FIELD.nextDataKey)) openValues(database.hash(address, replies[index]));
    }
  }
  return hashes.length;
}

function openValues(hash: SealedHash): void {
  for (const slot of NEEDED_SLOTS) for (const name of hash.names(slot)) hash.open(slot, name);
}

function tooBusy(): Nexus3Error {
  return new Nexus3Error('LOCKER_UNREACHABLE', 'Others keep changing what Locker holds.', {
    evidence: [`${String(PASSES_MAX)} passes`],
    hint: 'Wait until the other runs of nexus3 have ended, then run `nexus3 locker rekey` again.',
  });
}
