/** The data of this server: one client for the whole process, connected when the first tool needs it. */
import type { EnvironmentClient, Graph } from 'nexus3/client';
import { connect } from 'nexus3/client';
import { connectOptions, ENVIRONMENT, GRAPH } from './environment.js';
import { makeSchema } from './schema.js';

/** What a query may be handed: values go here, never into the text of a query. */
export type Values = NonNullable<NonNullable<Parameters<Graph['query']>[1]>['params']>;

/** What FalkorDB says of a graph in which nothing was written yet. */
const NO_GRAPH_YET = /empty key/;

export class Store {
  #client: Promise<EnvironmentClient> | undefined;
  #schema: Promise<void> | undefined;
  #closed = false;

  /** A query that changes nothing, at the operational; at the vault while that cannot answer. */
  async read<Row>(query: string, params: Values = {}): Promise<readonly Row[]> {
    const client = await this.#connected();
    try {
      return (await client.graph(GRAPH).roQuery<Row>(query, { params })).data ?? [];
    } catch (error) {
      if (error instanceof Error && NO_GRAPH_YET.test(error.message)) return [];
      throw error;
    }
  }

  /** A query that writes, at the vault: all of it is done, or nothing. No other write runs meanwhile. */
  async write<Row>(query: string, params: Values = {}): Promise<readonly Row[]> {
    const client = await this.#connected();
    await this.#prepared(client);
    return (await client.graph(GRAPH).query<Row>(query, { params })).data ?? [];
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = await this.#client?.catch(() => undefined);
    await client?.close();
  }

  /** A failure is not kept: the next call tries again, so the server outlives an environment that is down. */
  async #connected(): Promise<EnvironmentClient> {
    if (this.#closed) throw new Error('this server is being shut down');
    this.#client ??= connect(ENVIRONMENT, connectOptions()).catch((error: unknown) => {
      this.#client = undefined;
      throw error;
    });
    return this.#client;
  }

  /** Before the first write, not before reads: those go on while the vault is down. */
  async #prepared(client: EnvironmentClient): Promise<void> {
    this.#schema ??= makeSchema(client, GRAPH).catch((error: unknown) => {
      this.#schema = undefined;
      throw error;
    });
    return this.#schema;
  }
}
