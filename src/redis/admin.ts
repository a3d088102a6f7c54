/** An administrator's connection to one server: what the repairs may do there, each as one typed operation. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../errors.js';
import type { Address, Endpoint } from '../protocol/redis-conf.js';
import { Secret } from '../protocol/secret.js';
import { Connection, formatAddress, openConnection } from './connection.js';
import { countDatabases, countGraphs, countKeys, graphsEnforcing } from './keyspace.js';
import type { ContentCounts, GraphCounts, KeyCounts } from './observation.js';
import { parseInfo } from './parse-info.js';
import { expectInteger, expectOk, expectText, isErrorOf, ReplyError, unexpectedReply } from './replies.js';

/** How long a snapshot may take, in milliseconds; 100 MB take about a second. */
export const SNAPSHOT_TIMEOUT_MS = 600_000;
/** How often a snapshot under way is looked at, in milliseconds. */
const SNAPSHOT_POLL_MS = 50;
/** How long ACL LOAD, CONFIG SET and REPLICAOF may take, in milliseconds. CONFIG SET appendonly waits for its fork. */
const CHANGE_TIMEOUT_MS = 30_000;

/** Directives whose value must not be shown. */
const SECRET_DIRECTIVES: ReadonlySet<string> = new Set(['masterauth', 'requirepass']);

/** @throws UnreachableError, Nexus3Error REDIS_REPLY_UNEXPECTED when the password is not the admin's. */
export async function openAdmin(address: Endpoint, password: Secret): Promise<AdminConnection> {
  return new AdminConnection(await openConnection(address, { user: 'admin', password }));
}

/** Whether this password opens this user. @throws UnreachableError, Nexus3Error REDIS_REPLY_UNEXPECTED */
export async function acceptsPassword(address: Address, user: string, password: Secret): Promise<boolean> {
  using connection = await Connection.open(address);
  const reply = await connection.send(['AUTH', user, password]);
  if (isErrorOf(reply, 'WRONGPASS')) return false;
  expectOk(reply, `AUTH ${user}`);
  return true;
}

export class AdminConnection implements AsyncDisposable {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  async loadUsers(): Promise<void> {
    await this.#change(['ACL', 'LOAD'], 'ACL LOAD');
  }

  /** `resetpass` and all hashes in one command: Redis takes it whole or not at all, and doing it twice is no error. */
  async setPasswords(user: string, hashes: readonly string[]): Promise<void> {
    await this.#change(['ACL', 'SETUSER', user, 'resetpass', ...hashes], `ACL SETUSER ${user}`);
  }

  async replicaConnections(user: string): Promise<readonly string[]> {
    const text = expectText(await this.#connection.send(['CLIENT', 'LIST', 'TYPE', 'replica']), 'CLIENT LIST');
    return text
      .split('\n')
      .filter((line) => line.split(' ').includes(`user=${user}`))
      .flatMap((line) => /^id=(\d+) /.exec(line)?.[1] ?? []);
  }

  async disconnect(user: string): Promise<void> {
    expectInteger(await this.#connection.send(['CLIENT', 'KILL', 'USER', user]), 'CLIENT KILL');
  }

  async endOthers(): Promise<void> {
    const question = 'CLIENT KILL TYPE normal SKIPME yes';
    const reply = await this.#connection.send(question.split(' '), { timeoutMs: CHANGE_TIMEOUT_MS });
    if (typeof reply !== 'number' && typeof reply !== 'bigint') throw unexpectedReply(reply, question);
  }

  async setConfig(name: string, value: string): Promise<void> {
    const sent = SECRET_DIRECTIVES.has(name) ? new Secret(value) : value;
    await this.#change(['CONFIG', 'SET', name, sent], `CONFIG SET ${name}`);
  }

  async replicaOf(master: Address): Promise<void> {
    await this.#replicaOf(master.host, String(master.port));
  }

  async replicaOfNoOne(): Promise<void> {
    await this.#replicaOf('NO', 'ONE');
  }

  /** Redis adds a remark when there was nothing to change: `OK Already connected to specified master`. */
  async #replicaOf(host: string, port: string): Promise<void> {
    const question = `REPLICAOF ${host} ${port}`;
    const reply = await this.#connection.send(['REPLICAOF', host, port], { timeoutMs: CHANGE_TIMEOUT_MS });
    if (!expectText(reply, question).startsWith('OK')) throw unexpectedReply(reply, question);
  }

  /**
   * BGSAVE and wait, rather than SAVE: the clients of an operational go on reading while it is saved.
   * @throws Nexus3Error REDIS_REPLY_UNEXPECTED when the snapshot failed; UnreachableError
   */
  async save(): Promise<void> {
    const deadline = Date.now() + SNAPSHOT_TIMEOUT_MS;
    let begun = false;
    while (Date.now() < deadline) {
      // One that is under way may have begun before the last write: it is waited for, then ours begins.
      if (!begun) begun = await this.#beginSnapshot();
      await sleep(SNAPSHOT_POLL_MS);
      const state = await this.#snapshotState();
      if (!begun || state.inProgress) continue;
      if (state.ok) return;
      throw snapshotFailed(this.#connection.address, 'rdb_last_bgsave_status is not ok');
    }
    throw snapshotFailed(this.#connection.address, `not done within ${String(SNAPSHOT_TIMEOUT_MS)} ms`);
  }

  async countKeys(): Promise<KeyCounts> {
    return countKeys(this.#connection);
  }

  async countGraphs(): Promise<readonly GraphCounts[]> {
    return countGraphs(this.#connection);
  }

  async graphsEnforcing(): Promise<readonly string[]> {
    return graphsEnforcing(this.#connection);
  }

  async replicationOffset(): Promise<number> {
    const fields = parseInfo(expectText(await this.#connection.send(['INFO', 'replication']), 'INFO replication'));
    return Number(fields.get('master_repl_offset'));
  }

  async countContent(): Promise<ContentCounts> {
    return { databases: await countDatabases(this.#connection), graphs: await countGraphs(this.#connection) };
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  async #change(command: readonly (string | Secret)[], question: string): Promise<void> {
    expectOk(await this.#connection.send(command, { timeoutMs: CHANGE_TIMEOUT_MS }), question);
  }

  /** False: another child process (a snapshot, or a rewrite of the append-only file) has to end first. */
  async #beginSnapshot(): Promise<boolean> {
    const reply = await this.#connection.send(['BGSAVE']);
    if (reply instanceof ReplyError && /already in progress|child process is active/.test(reply.text)) return false;
    expectText(reply, 'BGSAVE');
    return true;
  }

  async #snapshotState(): Promise<{ inProgress: boolean; ok: boolean }> {
    const fields = parseInfo(expectText(await this.#connection.send(['INFO', 'persistence']), 'INFO persistence'));
    return {
      inProgress: fields.get('rdb_bgsave_in_progress') !== '0',
      ok: fields.get('rdb_last_bgsave_status') === 'ok',
    };
  }
}

function snapshotFailed(address: Endpoint, why: string): Nexus3Error {
  return new Nexus3Error('REDIS_REPLY_UNEXPECTED', `${formatAddress(address)} could not save a snapshot of its data.`, {
    evidence: [why],
    hint: 'Look at its log with `nexus3 logs`, and whether there is room on its disk; then run the command again.',
  });
}
