/** Both MCP servers of containers, as a host reaches them. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { callTool } from '../support/call-tool.js';
import { dataTour } from '../support/data-tour.js';
import { dockerNexus } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { connected, TRANSPORTS } from '../support/mcp-client.js';
import { ERAS } from '../support/mcp-link.js';
import { Nexus } from '../support/nexus.js';

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

      it('shows how all of it is', async () => {
        await using session = await connected(nexus, { transport, era }, { args: ['mcp', 'control'] });
        const { isError, data } = await callTool(session.client, 'check', {});
        expect(isError).toBe(false);
        expect(data?.['ok']).toBe(true);
      });
    });
  });
});
