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
 */
import type { QueryOptions } from 'falkordb/dist/src/commands/index.js';
import falkordbGraph from 'falkordb/dist/src/graph.js';
import queryCommand from 'falkordb/dist/src/commands/QUERY.js';
import readCommand from 'falkordb/dist/src/commands/RO_QUERY.js';
import singleClient from 'falkordb/dist/src/clients/single.js';
import type { GraphReply } from 'falkordb/dist/src/graph.js';
import type { Graph, RedisClient } from '../../client/environment-client.js';
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
    for (let change = 0; ; change += 1) {
      const known = this.#known;
      try {
        return await known[command]<T>(query, options);
      } catch (error) {
        const isLast = change >= SCHEMA_CHANGES_MAX;
        if (error instanceof OtherSchema) this.#learn(known, isLast ? undefined : error.version);
        // A name that came after they were looked up: nothing but a read can end so, because a write looks them up where it was done.
        else if (isNameMissing(error) && command === 'roQuery' && !isLast) this.#learn(known, NO_VERSION);
        else throw error;
      }
    }
  }

  /** Unless another query has learnt it meanwhile. */
  #learn(known: Known, version: number | undefined): void {
    if (this.#known === known) this.#known = knowing(this.#name, this.#client, version);
  }
}

type Known = InstanceType<typeof falkordbGraph.default>;

class OtherSchema extends Error {
  constructor(readonly version: number) {
    super(`the schema has version ${String(version)}`);
  }
}

/** @param version of the schema whose names this one will look up; undefined: whichever there is */
function knowing(name: string, client: RedisClient, version: number | undefined): Known {
  const single = new singleClient.Single(client);
  const ask =
    (command: Command) =>
    async (graph: string, query: Query, options?: QueryOptions, compact = true): Promise<unknown> => {
      if (version === undefined) return single[command](graph, query, options, compact);
      const words = COMMANDS[command].transformArguments(graph, query, options, compact);
      const reply = await client.sendCommand([...words, 'version', String(version)], { typeMapping: {} });
      if (isOtherSchema(reply)) throw new OtherSchema(reply[1]);
      return COMMANDS[command].transformReply(reply as unknown as Parameters<typeof queryCommand.transformReply>[0]);
    };
  return new falkordbGraph.default(over(single, { query: ask('query'), roQuery: ask('roQuery') }), name);
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
