/** Specs of instances on free ports, in a data root of their own, for tests of what runs one instance at a time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '../../src/protocol/environment.js';
import { containerName, layoutOf } from '../../src/protocol/layout.js';
import type { InstanceSpec } from '../../src/runtime/runtime.js';
import { freePort } from './redis-server.js';

export interface LocalSpecs {
  readonly dataRoot: string;
  freshSpec(role: Role): Promise<InstanceSpec>;
  /** Takes the data root away. */
  discard(): Promise<void>;
}

export async function localSpecs(): Promise<LocalSpecs> {
  const dataRoot = await mkdtemp(join(tmpdir(), 'nexus3-process-'));
  let count = 0;
  return {
    dataRoot,
    freshSpec: async (role) => {
      count += 1;
      const id = { env: `local-${String(count)}`, role };
      const layout = layoutOf(dataRoot, id.env);
      return {
        id,
        name: containerName('nexus3', id),
        port: await freePort(),
        bind: '127.0.0.1',
        dataDir: layout.data[role],
        configDir: layout.config[role],
        image: '',
        network: '',
      };
    },
    discard: () => rm(dataRoot, { recursive: true, force: true }),
  };
}
