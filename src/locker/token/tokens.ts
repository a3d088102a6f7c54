/** Tokens in Locker's database: who holds which, and the value keys that each may open. */
import { Nexus3Error } from '../../errors.js';
import { Secret } from '../../protocol/secret.js';
import { passwordHash } from '../../protocol/users.js';
import type { ConnectLocker } from '../channel.js';
import type { LockerDatabase } from '../database.js';
import { KEY } from '../keys.js';
import type { NewToken, TokenGrant, TokenRequest, Tokens } from '../locker.js';
import { droppedFrom, FIELD, type SealedHash, toFields } from '../sealed-hash.js';
import { environmentAddress } from '../store.js';
import { openWithToken } from './open.js';
import { grantOf, renderRecord, type TokenRecord } from './registry.js';
import { recordsIn, resealed, TOKENS, wrappedFor } from './reseal.js';
import { Token } from './token.js';
import { defaultTokenPath, loadToken, removeToken, tokenAt, writeToken } from './token-file.js';

export interface LockerTokensInit {
  readonly database: LockerDatabase;
  readonly rootKeyPath: string;
  /** Connects to Locker as the user of a token. */
  connectAs(user: string, password: Secret): ReturnType<ConnectLocker>;
  /** Told what went wrong beside what was asked for, a sentence each. */
  readonly warn?: (text: string) => void;
}

export class LockerTokens implements Tokens {
  readonly #init: LockerTokensInit;

  constructor(init: LockerTokensInit) {
    this.#init = init;
  }

  defaultFile(env: string): string {
    return defaultTokenPath(this.#init.rootKeyPath, env);
  }

  async list(): Promise<readonly TokenGrant[]> {
    return (await this.#records()).map(grantOf);
  }

  async create({ env, kind, names, label, file, locker, vault, at }: TokenRequest): Promise<NewToken> {
    const { database } = this.#init;
    const address = environmentAddress(env);
    const [found] = await database.ask([['HGETALL', address.key]]);
    const before = database.hash(address, found);
    const absent = names.find((name) => before.version(name) === 0);
    if (absent !== undefined) throw missing(env, absent);
    const token = Token.generate({ env, kind, locker, vault });
    const grant: TokenGrant = {
      ...{ id: token.id, env, names, label, file },
      ...{ createdAt: at.toISOString(), passwordHash: passwordHash(token.password), revoked: false },
    };
    // Known first: whatever is left of it when this is cut off, the next run finds it and takes it back.
    await database.change(TOKENS, (hash) => {
      const record = new Secret(renderRecord({ ...grant, key: token.keyEncryptionKey }));
      return { commands: [['HSET', TOKENS.key, ...hash.sealNew('value', token.id, record)]], result: undefined };
    });
    await database.change(address, (hash) => {
      const words = names.flatMap((name) => [
        ...inNewFormat(hash, name),
        ...wrappedFor(token.id, token.keyEncryptionKey, hash, hash.dataKey, name),
      ]);
      return { commands: [['HSET', address.key, ...words]], result: undefined };
    });
    return {
      grant,
      writeFile: () => writeToken(file, token),
      prove: () => this.#prove(grant),
    };
  }

  async markRevoked(ids: readonly string[]): Promise<void> {
    await this.#init.database.change(TOKENS, (hash) => {
      const words = recordsIn(hash)
        .filter(({ id, revoked }) => ids.includes(id) && !revoked)
        .flatMap((record) => hash.sealNew('value', record.id, new Secret(renderRecord({ ...record, revoked: true }))));
      return { commands: words.length === 0 ? [] : [['HSET', TOKENS.key, ...words]], result: undefined };
    });
  }

  async shutOut(env: string, ids: readonly string[]): Promise<void> {
    const { database } = this.#init;
    const address = environmentAddress(env);
    const staying = (await this.#records()).filter((record) => record.env === env && !ids.includes(record.id));
    const [found] = await database.ask([['HGETALL', address.key]]);
    // To change a hash makes one where there is none.
    if (toFields(found).size === 0) return;
    const dropped = await database.change(address, (hash) => {
      refuseHalfRekeyed(hash);
      const { commands, dropped } = resealed(address.key, hash, staying);
      return { commands, result: dropped };
    });
    if (dropped.length > 0) this.#init.warn?.(droppedFrom(env, dropped));
  }

  async forget(ids: readonly string[]): Promise<void> {
    const { database } = this.#init;
    await database.ask([['HDEL', TOKENS.key, ...ids.map((id) => FIELD.in('value', id))]]);
    await database.durable();
  }

  async removeFile({ file, id }: TokenGrant): Promise<boolean> {
    return removeToken(file, id);
  }

  async refuseOtherFile(path: string): Promise<void> {
    await tokenAt(path);
  }

  async #records(): Promise<readonly TokenRecord[]> {
    const { database } = this.#init;
    const [reply] = await database.ask([['HGETALL', TOKENS.key]]);
    return recordsIn(database.hash(TOKENS, reply));
  }

  async #prove({ file, env, names }: TokenGrant): Promise<void> {
    const token = await loadToken(file);
    const connection = await this.#init.connectAs(token.id, token.password);
    try {
      const [reply] = await connection.ask([['HGETALL', KEY.environment(env)]]);
      const fields = toFields(reply);
      for (const name of names) openWithToken(token, name, fields);
    } finally {
      connection.close();
    }
  }
}

/** The words of HSET for a value that is sealed with the data key itself, which no token may have. */
function inNewFormat(hash: SealedHash, name: string): readonly string[] {
  const value = hash.open('value', name);
  if (value === undefined) throw missing(hash.label, name);
  const isOld = hash.fields.get(FIELD.in('value', name))?.startsWith('v1.') === true;
  return isOld ? hash.sealAs('value', name, hash.version(name), value) : [];
}

function missing(env: string, name: string): Nexus3Error {
  return new Nexus3Error('LOCKER_CREDENTIAL_MISSING', `Locker has no credential ${name} for ${env}.`, {
    evidence: [`${env}: ${name}`],
    hint: `\`nexus3 up ${env}\` makes the credentials that ${env} needs.`,
  });
}

/** Which of its two data keys will count is not decided yet, and the new root key is not to be had here. */
function refuseHalfRekeyed(hash: SealedHash): void {
  if (!hash.fields.has(FIELD.nextDataKey)) return;
  throw new Nexus3Error(
    'NOT_PROVEN',
    `The values of ${hash.label} were not sealed anew: a new root key is half in place.`,
    {
      evidence: [`${hash.label}: it has ${FIELD.nextDataKey}`],
      hint: 'The token is refused already. End `nexus3 locker rekey` by running it again, then revoke once more.',
    },
  );
}
