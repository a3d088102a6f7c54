/** Both MCP servers of containers, as a host reaches them. */
import { afterAll, beforeAll, describe } from 'vitest';
import { controlTour } from '../support/control-tour.js';
import { dataTour } from '../support/data-tour.js';
import { dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { TRANSPORTS } from '../support/mcp-client.js';
import { ERAS } from '../support/mcp-link.js';
import { Nexus } from '../support/nexus.js';

const soak = process.env['NEXUS3_SOAK'] === '1';

describeOnDocker('MCP, on Docker', () => {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make(dockerNexus({ track: 'standard' }));
    await nexus.report(0, 'up');
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  describe.each(TRANSPORTS)('over %s', (transport) => {
    describe.each(ERAS)('to a client of the %s protocol', (era) => {
      dataTour(() => nexus, { transport, era });

      // Each transport in one age of the protocol; on the embedded runtime in the other one.
      if (soak || (transport === 'stdio') === (era === 'legacy')) controlTour(() => nexus, { transport, era });
    });
  });
});
