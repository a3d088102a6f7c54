/** Specs of containers with names, ports and folders that nothing else uses, for tests of one container at a time. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Role } from '../../src/protocol/environment.js';
import { containerName, layoutOf } from '../../src/protocol/layout.js';
import type { InstanceSpec } from '../../src/runtime/runtime.js';
import { dockerJson } from './docker-api.js';
import { FALKORDB_IMAGE } from './docker-images.js';
import { freePort } from './redis-server.js';

export interface DockerSpecs {
  readonly dataRoot: string;
  /** Of this file of tests alone; files run side by side on one engine. */
  readonly network: string;
  freshSpec(role: Role): Promise<InstanceSpec>;
  /** Takes away the data root and the network. */
  discard(): Promise<void>;
}

export async function dockerSpecs(socketPath: string): Promise<DockerSpecs> {
  const dataRoot = await mkdtemp(join(tmpdir(), 'nexus3-containers-'));
  const prefix = `t${randomBytes(4).toString('hex')}`;
  const network = `${prefix}-network`;
  let count = 0;
  return {
    dataRoot,
    network,
    freshSpec: async (role) => {
      count += 1;
      const id = { env: `env-${String(count)}`, role };
      const layout = layoutOf(dataRoot, id.env);
      return {
        id,
        name: containerName(prefix, id),
        port: await freePort(),
        bind: '127.0.0.1',
        dataDir: layout.data[role],
        configDir: layout.config[role],
        image: FALKORDB_IMAGE,
        network,
      };
    },
    discard: async () => {
      await rm(dataRoot, { recursive: true, force: true });
      await dockerJson(socketPath, 'DELETE', `/networks/${network}`).catch(() => undefined);
    },
  };
}
