/** `environments`: what this server serves. */
import { z } from 'zod';
import type { Tool } from '../tool.js';
import type { DataContext } from './context.js';
import { dataTool } from './fields.js';

export const environments = ({ write }: { readonly write: boolean }): Tool<DataContext> =>
  dataTool({
    name: 'environments',
    title: 'List environments',
    description:
      'The environments that this server serves, each with its graphs and keys. Other tools take one as `environment`. ' +
      'A standard environment has a vault (writes) and a read-only operational (reads); a secure one has a vault alone.',
    input: z.object({}),
    output: z.object({
      environments: z.array(
        z.object({
          name: z.string(),
          kind: z.enum(['standard', 'secure']),
          vaultPort: z.int().optional(),
          operationalPort: z.int().optional(),
          connected: z.boolean().describe('Whether this server has used it yet. The next two are known only then.'),
          vault: z.enum(['up', 'down']).optional(),
          readsFrom: z.enum(['operational', 'vault']).optional(),
        }),
      ),
      writes: z.boolean().describe('Whether this server has tools that write.'),
    }),
    effect: 'read',
    idempotent: true,
    run: async (_, context) => ({
      environments: await Promise.all(
        context.environments.map(async ({ name, kind, vaultPort, operationalPort }) => {
          const client = await context.known(name);
          return {
            name,
            kind,
            vaultPort,
            operationalPort,
            connected: client !== undefined,
            ...(client === undefined ? {} : { vault: client.state.vault, readsFrom: client.state.readsFrom }),
          };
        }),
      ),
      writes: write,
    }),
  });
