/** One pair with a little data, for the benches of the client and of the MCP server. */
import { createClient } from '@redis/client';
import { FalkorDB } from 'falkordb';
import { Estate } from '../estate.js';
import { timeUntil } from '../backup/wait.js';
import { GRAPH, KEYS, keyAt, NODES, VALUE } from './job.js';
import type { Doors } from './job.js';

export const ENV = 'env0';
const HOST = '127.0.0.1';

export interface Ground extends AsyncDisposable {
  readonly estate: Estate;
  readonly doors: Doors;
}

export async function groundWithData(): Promise<Ground> {
  const estate = await Estate.plan({ runtime: 'process', standard: 1, secure: 1 });
  const end = async (): Promise<void> => {
    await estate.nexus3('down', '--quiet');
    await estate[Symbol.asyncDispose]();
  };
  try {
    await estate.nexus3('up', '--quiet');
    const doors = await doorsOf(estate);
    await fill(doors);
    return { estate, doors, [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

async function doorsOf(estate: Estate): Promise<Doors> {
  const port = (role: string): number =>
    estate.doors().find((door) => door.env === ENV && door.role === role)?.port ?? 0;
  const password = (await estate.credentials()).get(ENV)?.default?.reveal() ?? '';
  return { vaultPort: port('vault'), operationalPort: port('operational'), password };
}

async function fill({ vaultPort, operationalPort, password }: Doors): Promise<void> {
  const vault = await FalkorDB.connect({ socket: { host: HOST, port: vaultPort }, username: 'default', password });
  const graph = vault.selectGraph(GRAPH);
  await graph.query('CREATE INDEX FOR (p:Person) ON (p.id)');
  await graph.query('UNWIND range(0, $last) AS id CREATE (:Person {id: id, name: "Person " + id, age: id % 90})', {
    params: { last: NODES - 1 },
  });
  const keys = await vault.connection;
  await Promise.all(Array.from({ length: KEYS }, (_, index) => keys.set(keyAt(index), VALUE)));
  await vault.close();
  const operational = createClient({ socket: { host: HOST, port: operationalPort } });
  await operational.connect();
  await timeUntil(async () => (await operational.get(keyAt(KEYS - 1))) === VALUE, 'the operational');
  await operational.close();
}

/** How often each command was called at a server since it began, by its name. */
export async function callsAt(url: string): Promise<ReadonlyMap<string, number>> {
  const client = createClient({ url });
  await client.connect();
  const told = await client.sendCommand<string>(['INFO', 'commandstats']);
  await client.close();
  const lines = [...told.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)];
  return new Map(lines.map(([, name = '', calls]) => [name, Number(calls)]));
}
