/** A `Graph` of the official client over our two connections. */
import falkordbGraph from 'falkordb/dist/src/graph.js';
import singleClient from 'falkordb/dist/src/clients/single.js';
import type { Graph, RedisClient } from '../../client/environment-client.js';

/** What only reads goes to `reader`, all else to `writer`. */
export function openGraph(name: string, writer: RedisClient, reader: RedisClient): Graph {
  const [writes, reads] = [new singleClient.Single(writer), new singleClient.Single(reader)];
  const client = Object.assign(Object.create(writes) as typeof writes, {
    roQuery: reads.roQuery.bind(reads),
    memoryUsage: reads.memoryUsage.bind(reads),
    slowLog: reads.slowLog.bind(reads),
  });
  return new falkordbGraph.default(client, name);
}
