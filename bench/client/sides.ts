/** One pair of servers, reached with nexus3 or without it, in the same words: the loop that uses them is the same for all. */
import { createClient } from '@redis/client';
import { FalkorDB } from 'falkordb';
import { connect } from '../../src/compose-client.js';
import type { Contender, Doors } from './job.js';

const HOST = '127.0.0.1';

interface Commands {
  get(key: string): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
  ping(): Promise<unknown>;
  wait(replicas: number, timeoutMs: number): Promise<unknown>;
}

interface Graph {
  roQuery(query: string, options: { readonly params: Record<string, number> }): Promise<{ readonly data?: unknown[] }>;
}

export interface Side {
  readonly vault: Commands;
  readonly operational: Commands;
  graph(name: string): Graph;
  close(): Promise<void>;
}

export async function openSide({ side, doors, watchIntervalMs }: Contender): Promise<Side> {
  switch (side) {
    case 'nexus3':
    case 'nexus3-read-your-writes':
      return connect.fromUrl(urlsOf(doors), { readYourWrites: side === 'nexus3-read-your-writes', watchIntervalMs });
    case 'node-redis':
      return openNodeRedis(doors);
    case 'falkordb':
      return openFalkor(doors);
  }
}

export function urlsOf({ vaultPort, operationalPort, password }: Doors): {
  readonly vault: string;
  readonly operational: string;
} {
  return {
    vault: `redis://default:${encodeURIComponent(password)}@${HOST}:${String(vaultPort)}`,
    operational: `redis://${HOST}:${String(operationalPort)}`,
  };
}

async function openNodeRedis({ vaultPort, operationalPort, password }: Doors): Promise<Side> {
  const vault = createClient({ socket: { host: HOST, port: vaultPort }, username: 'default', password });
  const operational = createClient({ socket: { host: HOST, port: operationalPort } });
  await Promise.all([vault.connect(), operational.connect()]);
  return {
    vault,
    operational,
    graph: () => {
      throw new Error('node-redis has no graphs');
    },
    close: async () => {
      await Promise.all([vault.close(), operational.close()]);
    },
  };
}

/** Only graphs are asked of it; they are read at the operational, as by nexus3. */
async function openFalkor({ operationalPort }: Doors): Promise<Side> {
  const falkor = await FalkorDB.connect({ socket: { host: HOST, port: operationalPort } });
  const connection = (await falkor.connection) as unknown as Commands;
  return {
    vault: connection,
    operational: connection,
    graph: (name) => falkor.selectGraph(name),
    close: () => falkor.close(),
  };
}
