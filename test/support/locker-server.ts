/** A real server with the users and settings of Locker's vault, and what speaks to it. */
import { RootKey } from '../../src/locker/root-key.js';
import { deriveOwnCredentials } from '../../src/locker/derive.js';
import { LockerDatabase } from '../../src/locker/database.js';
import type { LockerConnection } from '../../src/locker/channel.js';
import { DEFAULT_SETTINGS } from '../../src/protocol/settings.js';
import { openTextConnection } from '../../src/redis/text-connection.js';
import { testEngine } from './engine.js';
import type { TestServer } from './redis-server.js';
import { startServer } from './redis-server.js';

export class LockerServer implements AsyncDisposable {
  readonly #databases: LockerDatabase[] = [];

  private constructor(
    readonly rootKey: RootKey,
    readonly server: TestServer,
  ) {}

  /** Every write is on disk at once, so that only tests about waiting wait. */
  static async start(): Promise<LockerServer> {
    await testEngine();
    const rootKey = RootKey.generate();
    const settings = { ...DEFAULT_SETTINGS, appendfsync: 'always' } as const;
    const credentials = deriveOwnCredentials(rootKey);
    return new LockerServer(rootKey, await startServer({ role: 'vault', kind: 'secure', credentials, settings }));
  }

  async connect(): Promise<LockerConnection> {
    const { default: password } = deriveOwnCredentials(this.rootKey);
    return openTextConnection(this.server.address, { user: 'default', password });
  }

  /** One more run of nexus3, as far as Locker can tell. */
  database(): LockerDatabase {
    const database = new LockerDatabase(this.rootKey, () => this.connect());
    this.#databases.push(database);
    return database;
  }

  async ask(...command: readonly string[]): Promise<unknown> {
    const connection = await this.connect();
    try {
      return (await connection.ask([command]))[0];
    } finally {
      connection.close();
    }
  }

  /** Everything that lies in it, as text. */
  async dump(): Promise<string> {
    const keys = (await this.ask('KEYS', '*')) as readonly string[];
    const parts = await Promise.all(
      keys.map(async (key) => {
        const type = await this.ask('TYPE', key);
        return `${key} ${JSON.stringify(await (type === 'hash' ? this.ask('HGETALL', key) : this.ask('XRANGE', key, '-', '+')))}`;
      }),
    );
    return parts.join('\n');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#databases.map((database) => database.close()));
    await this.server[Symbol.asyncDispose]();
  }
}
