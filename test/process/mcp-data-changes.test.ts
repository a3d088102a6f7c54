/** What the data server says while its servers lag, are restarted, and have their passwords changed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { PROCESS_HANDS, until } from '../support/break.js';
import type { Called } from '../support/call-tool.js';
import { callTool } from '../support/call-tool.js';
import type { ServedClient } from '../support/data-server.js';
import { serveData } from '../support/data-server.js';
import { Nexus } from '../support/nexus.js';
import { slowLink } from '../support/slow-link.js';

let nexus: Nexus;
let served: ServedClient;
let written = 0;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  await nexus.report(0, 'up');
  served = await serveData(nexus, { write: true, environments: ['track'] });
});

afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await nexus[Symbol.asyncDispose]();
});

const call = (name: string, args: object): Promise<Called> => callTool(served.client, name, { graph: 'g', ...args });

async function write(): Promise<Called> {
  written += 1;
  return call('graph_write', { query: 'MERGE (c:Counter) SET c.n = $n', parameters: { n: written } });
}

async function readsIt(): Promise<void> {
  const { data, text } = await call('graph_query', { query: 'MATCH (c:Counter) RETURN c.n' });
  expect(data?.['rows'], text).toEqual([[written]]);
}

async function writes(): Promise<void> {
  await until(async () => !(await write()).isError, 'the vault takes writes');
}

it('a read sees what was written before, however far behind the operational is', async () => {
  await writes();
  await using link = await slowLink(nexus, 'track', 0);
  for (const delayMs of [0, 50, 1_000]) {
    link.delayMs = delayMs;
    for (let round = 0; round < 5; round += 1) {
      await writes();
      await readsIt();
    }
  }
});

it('both servers are started anew: the first call after that is answered, or says what to do', async () => {
  for (const role of ['vault', 'operational'] as const) {
    await PROCESS_HANDS.kill(nexus, 'track', role);
    await nexus.report(0, 'up');
    await writes();
    await readsIt();
  }
});

it('the operational is gone: the vault answers', async () => {
  await writes();
  await PROCESS_HANDS.kill(nexus, 'track', 'operational');
  await readsIt();
  await writes();
  await readsIt();
  await nexus.report(0, 'up');
});

it('the password is changed, and every connection with the old one cut', async () => {
  await writes();
  expect((await nexus.run('rotate', 'track', '--grace', '0')).code).toBe(0);
  await nexus.admin('track', 'vault', 'CLIENT', 'KILL', 'USER', 'default');
  await writes();
  await readsIt();
});
