/**
 * A `Graph` of the official client over our two connections, with its types and parsing, made right in two respects.
 *
 * Results name labels, relationship types and properties by number; the official client looks the names up once and
 * believes them for good. So a graph that was deleted and made anew by somebody else came back with wrong labels (measured).
 * Here every compact query carries the version of the schema whose names are known (GRAPH.QUERY … VERSION n), and so does the looking up; a server that
 * has another one answers with that in place of doing anything, and names are looked up anew. Vault and operational number
 * a version alike (measured, FalkorDB 4.16.3).
 *
 * And names are looked up where the result comes from: a write's at the vault, because the operational may not have them yet.
 * A read that meets another version is asked anew; a write that has been done is not.
 */
import type { QueryOptions } from 'falkordb/dist/src/commands/index.js';
import falkordbGraph from 'falkordb/dist/src/graph.js';
import queryCommand from 'falkordb/dist/src/commands/QUERY.js';
import readCommand from 'falkordb/dist/src/commands/RO_QUERY.js';
import singleClient from 'falkordb/dist/src/clients/single.js';
import type { GraphReply } from 'falkordb/dist/src/graph.js';
import type { Graph, RedisClient } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import { checkParameters } from './query-parameters.js';

/** How often one query is asked anew because the schema changed meanwhile, before it is asked without a version. */
const SCHEMA_CHANGES_MAX = 4;
/** Of no schema: the first query learns which one there is. */
const NO_VERSION = 0;

type Query = string | Buffer;
type Command = 'query' | 'roQuery';
const COMMANDS = { query: queryCommand, roQuery: readCommand } as const;

/** What only reads goes to `reader`, all else to `writer`. */
export function openGraph(name: string, writer: RedisClient, reader: RedisClient): Graph {
  return new EnvironmentGraph(name, writer, reader);
}

class EnvironmentGraph extends falkordbGraph.default {
  readonly #writes: VersionedGraph;
  readonly #reads: VersionedGraph;

  constructor(name: string, writer: RedisClient, reader: RedisClient) {
    const [writes, reads] = [new singleClient.Single(writer), new singleClient.Single(reader)];
    super(over(writes, { memoryUsage: reads.memoryUsage.bind(reads), slowLog: reads.slowLog.bind(reads) }), name);
    this.#writes = new VersionedGraph(name, writer);
    this.#reads = new VersionedGraph(name, reader);
  }

  override query<T>(query: Query, options?: QueryOptions): Promise<GraphReply<T>> {
    return this.#writes.ask('query', query, options);
  }

  override roQuery<T>(query: Query, options?: QueryOptions): Promise<GraphReply<T>> {
    return this.#reads.ask('roQuery', query, options);
  }
}

/** The graph as one side has it, with the names that its results need. */
class VersionedGraph {
  readonly #name: string;
  readonly #client: RedisClient;
  #known: Known;

  constructor(name: string, client: RedisClient) {
    this.#name = name;
    this.#client = client;
    this.#known = knowing(name, client, NO_VERSION);
  }

  async ask<T>(command: Command, query: Query, options: QueryOptions | undefined): Promise<GraphReply<T>> {
    checkParameters(options);
    // A write is done once; only its names are looked up again, because it may itself have changed the schema.
    let done: RawReply | undefined;
    for (let change = 0; ; change += 1) {
      const isLast = change > SCHEMA_CHANGES_MAX;
      const known = isLast ? knowing(this.#name, this.#client, undefined) : this.#known;
      try {
        const reply = done ?? (await known.send(command, query, options));
        if (command === 'query') done = reply;
        return await known.read<T>(reply);
      } catch (error) {
        if (!isLast && error instanceof OtherSchema) this.#learn(known, error.version);
        // A name that came after they were looked up.
        else if (!isLast && isNameMissing(error)) this.#learn(known, NO_VERSION);
        else throw done === undefined ? error : doneAllTheSame(error);
      }
    }
  }

  /** Unless another query has learnt it meanwhile. */
  #learn(known: Known, version: number): void {
    if (this.#known === known) this.#known = knowing(this.#name, this.#client, version);
  }
}

/** The names of one version of a schema, and what is asked with them. */
interface Known {
  /** @throws OtherSchema where nothing was done, because the schema has another version */
  send(command: Command, query: Query, options: QueryOptions | undefined): Promise<RawReply>;
  /** Looks up the names that it needs and does not know. @throws OtherSchema */
  read<T>(reply: RawReply): Promise<GraphReply<T>>;
}

type RawReply = ReturnType<typeof queryCommand.transformReply>;

class OtherSchema extends Error {
  constructor(readonly version: number) {
    super(`the schema has version ${String(version)}`);
  }
}

/** @param version of the schema whose names this one will look up; undefined: whichever there is */
function knowing(name: string, client: RedisClient, version: number | undefined): Known {
  const single = new singleClient.Single(client);
  const ask = async (command: Command, query: Query, options?: QueryOptions, compact = true): Promise<RawReply> => {
    if (version === undefined) return single[command](name, query, options, compact);
    const words = COMMANDS[command].transformArguments(name, query, options, compact);
    const reply = await client.sendCommand([...words, 'version', String(version)], { typeMapping: {} });
    if (isOtherSchema(reply)) throw new OtherSchema(reply[1]);
    return COMMANDS[command].transformReply(reply as unknown as Parameters<typeof queryCommand.transformReply>[0]);
  };
  // Its way from a reply to values is open to nobody else: what it asks is the reply that is there already.
  const reader = over(single, {
    query: (_graph: string, reply: RawReply) => Promise.resolve(reply),
    roQuery: (_graph: string, ...asked: [Query, QueryOptions?, boolean?]) => ask('roQuery', ...asked),
  });
  const graph = new falkordbGraph.default(reader, name);
  return { send: ask, read: (reply) => graph.query(reply as unknown as Query) };
}

/** Whatever kept its names from being looked up, also that a lookup was not sent: the write before it was. */
function doneAllTheSame(error: unknown): unknown {
  if (!(error instanceof Nexus3Error)) return error;
  return new Nexus3Error(error.code, error.message, {
    evidence: ['the query was done; what its result names could not be looked up'],
    hint: error.hint,
    outcome: 'unknown',
    cause: error,
  });
}

/** `[error, version]`, where results are `[headers, rows, statistics]` or `[statistics]`. */
function isOtherSchema(reply: unknown): reply is [unknown, number] {
  return Array.isArray(reply) && reply.length === 2 && typeof (reply as unknown[])[1] === 'number';
}

/** What graph.js says of a number that it finds no name for. */
function isNameMissing(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('Cannot find value from');
}

/** The same client, but for what is given. */
function over<T extends object>(client: T, instead: object): T {
  return Object.assign(Object.create(client) as T, instead);
}
