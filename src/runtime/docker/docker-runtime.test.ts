/** The conformance suite of runtimes, on a real engine. What only Docker has is in docker-containers.test.ts. */
import { describeOnDocker, dockerEnvironment, sharedSocket } from '../../../test/support/docker-tests.js';
import { dockerJson } from '../../../test/support/docker-api.js';
import { FALKORDB_IMAGE } from '../../../test/support/docker-images.js';
import { dockerSpecs } from '../../../test/support/docker-specs.js';
import { describeRuntime } from '../runtime.conformance.js';
import type { InstanceSpec } from '../runtime.js';
import { DockerRuntime } from './docker-runtime.js';

describeOnDocker('on a real engine', () => {
  describeRuntime('docker', async () => {
    const socket = sharedSocket();
    const specs = await dockerSpecs(socket);
    const make = (): DockerRuntime => new DockerRuntime({ network: specs.network, environment: dockerEnvironment() });
    return {
      runtime: make(),
      secondRuntime: make,
      freshSpec: (role) => specs.freshSpec(role),
      restartsKilledServers: true,
      makeForeign: (spec) => makeForeign(socket, spec),
      cleanup: () => specs.discard(),
    };
  });
});

/** As the protocol's pages make one by hand. */
async function makeForeign(
  socket: string,
  spec: InstanceSpec,
): Promise<{ isUntouched(): Promise<boolean>; discard(): Promise<void> }> {
  const path = `/containers/${spec.name}`;
  await dockerJson(socket, 'POST', `/containers/create?name=${spec.name}`, {
    Image: FALKORDB_IMAGE,
    ExposedPorts: { '6379/tcp': {} },
    HostConfig: {
      NetworkMode: spec.network,
      RestartPolicy: { Name: 'unless-stopped' },
      Binds: [`${spec.dataDir}:/var/lib/falkordb/data`],
      PortBindings: { '6379/tcp': [{ HostPort: String(spec.port) }] },
    },
  });
  await dockerJson(socket, 'POST', `${path}/start`);
  const look = async (): Promise<string> => {
    const { Id, State } = (await dockerJson(socket, 'GET', `${path}/json`)) as {
      Id: string;
      State: { StartedAt: string };
    };
    return `${Id} ${State.StartedAt}`;
  };
  const before = await look();
  return {
    isUntouched: async () => (await look()) === before,
    discard: async () => {
      await dockerJson(socket, 'DELETE', `${path}?force=1&v=1`);
    },
  };
}
