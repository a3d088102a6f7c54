/** All tools of both servers as a host reaches them: the built command, over stdin and stdout and over HTTP. */
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { controlAttackTour } from '../support/control-attack-tour.js';
import { describeControl } from '../support/control-scenarios.js';
import { controlTour } from '../support/control-tour.js';
import { dataAttackTour } from '../support/data-attack-tour.js';
import { dataAttacks } from '../support/data-attacks.js';
import { dataTour } from '../support/data-tour.js';
import type { Connected, TransportName } from '../support/mcp-client.js';
import { connected, controlOver, TRANSPORTS } from '../support/mcp-client.js';
import { ERAS } from '../support/mcp-link.js';
import { Nexus } from '../support/nexus.js';

/** They run without a transport in mcp-data-attacks and control; a transport adds minutes, and no tool of its own. */
const soak = process.env['NEXUS3_SOAK'] === '1';

describe.each(TRANSPORTS)('both servers over %s', (transport) => {
  let nexus: Nexus;
  let session: Connected;

  beforeAll(async () => {
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
    await nexus.report(0, 'up');
    session = await connected(nexus, { transport, era: 'legacy' }, { args: ['mcp', 'serve', 'track', '--write'] });
  });
  afterAll(async () => {
    await session[Symbol.asyncDispose]();
    await nexus[Symbol.asyncDispose]();
  });

  describe.each(ERAS)('to a client of the %s protocol', (era) => {
    dataTour(() => nexus, { transport, era });
    // Each transport in one age of the protocol; on Docker in the other one.
    if (soak || (transport === 'stdio') === (era === 'modern')) controlTour(() => nexus, { transport, era });
  });

  dataAttackTour(() => ({ nexus, client: session.client }));
  controlAttackTour(() => nexus, transport);

  describe.runIf(soak)('under attack', () => {
    // The tour leaves a graph of that name.
    beforeAll(async () => {
      await nexus.admin('track', 'vault', 'GRAPH.DELETE', 'g');
    });
    dataAttacks(() => ({ nexus, client: session.client, memory: () => residentBytes(session.pid) }));
  });
});

describe.runIf(soak).each<TransportName>(TRANSPORTS)('the care server over %s', (transport) => {
  describeControl({
    options: { runtime: 'process', environments: { track: 'standard', notes: 'secure' } },
    hands: PROCESS_HANDS,
    open: controlOver(transport),
  });
});

async function residentBytes(pid: number): Promise<number> {
  const text = await readFile(`/proc/${String(pid)}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(text)?.[1]) * 1024;
}
