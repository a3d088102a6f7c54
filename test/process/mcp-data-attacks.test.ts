/** What somebody may try on the data server, over a pipe within this process. */
import { afterAll, beforeAll } from 'vitest';
import { dataAttacks } from '../support/data-attacks.js';
import type { ServedClient } from '../support/data-server.js';
import { serveData } from '../support/data-server.js';
import { Nexus } from '../support/nexus.js';

let nexus: Nexus;
let served: ServedClient;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  await nexus.report(0, 'up');
  served = await serveData(nexus, { write: true, environments: ['track'] });
});

afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await nexus[Symbol.asyncDispose]();
});

dataAttacks(() => ({ nexus, client: served.client, memory: () => process.memoryUsage().rss }));
