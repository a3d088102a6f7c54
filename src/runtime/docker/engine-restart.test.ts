/** The engine itself goes and comes back. It has an engine of its own, because everybody's containers stop with it. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dockerJson } from '../../../test/support/docker-api.js';
import type { TestEngine } from '../../../test/support/docker-engine.js';
import { restartTestEngine, startTestEngine, stopTestEngine } from '../../../test/support/docker-engine.js';
import type { DockerSpecs } from '../../../test/support/docker-specs.js';
import { dockerSpecs } from '../../../test/support/docker-specs.js';
import { describeOnDocker } from '../../../test/support/docker-tests.js';
import { say } from '../../../test/support/raw-redis.js';
import { PASSWORD, renderFolders } from '../../../test/support/rendered-folders.js';
import { instanceKey } from '../../protocol/environment.js';
import type { InstanceRuntimeState, InstanceSpec } from '../runtime.js';
import { DockerRuntime } from './docker-runtime.js';

const ENGINE_TIMEOUT_MS = 120_000;
const SETTLE = { timeout: 30_000, interval: 100 };

describeOnDocker('when the engine restarts', () => {
  let engine: TestEngine;
  let specs: DockerSpecs;
  let runtime: DockerRuntime;

  beforeAll(async () => {
    engine = await startTestEngine();
    specs = await dockerSpecs(engine.socketPath);
    runtime = new DockerRuntime({ network: specs.network, environment: { DOCKER_HOST: engine.host } });
    await runtime.ensureNetwork();
  }, ENGINE_TIMEOUT_MS);
  afterAll(async () => {
    await runtime.close();
    await stopTestEngine(engine);
    await specs.discard();
  }, ENGINE_TIMEOUT_MS);

  it(
    'instances come back by themselves with their data, and those that were stopped stay stopped',
    async () => {
      const [running, stopped] = await Promise.all([started(), started()]);
      const address = { host: '127.0.0.1', port: running.port };
      expect(await say(address, `AUTH default ${PASSWORD}`, 'SET kept yes')).toBe('+OK');
      await runtime.stop(stopped);
      const before = await stateOf(running);

      await restartTestEngine(engine);

      await expect.poll(() => say(address, `AUTH default ${PASSWORD}`, 'STRLEN kept'), SETTLE).toBe(':3');
      // The same runtime goes on: its old connections are gone, which is no failure.
      expect(await stateOf(running)).toMatchObject({ state: 'running', owned: true, differences: [] });
      expect((await stateOf(running))?.startedAt).not.toBe(before?.startedAt);
      expect(await stateOf(stopped)).toMatchObject({ state: 'stopped' });
      const network = (await runtime.observe([])).network;
      expect(network).toBe('present');
      await Promise.all([running, stopped].map((spec) => runtime.remove(spec)));
      // Those of a first try that went wrong may be there.
      const left = (await dockerJson(engine.socketPath, 'GET', '/containers/json?all=1')) as { Names: string[] }[];
      expect(left.flatMap(({ Names }) => Names)).not.toContain(`/${running.name}`);
      expect(left.flatMap(({ Names }) => Names)).not.toContain(`/${stopped.name}`);
    },
    ENGINE_TIMEOUT_MS,
  );

  async function started(): Promise<InstanceSpec> {
    const spec = await specs.freshSpec('vault');
    await renderFolders(runtime, spec, 'vault');
    await runtime.create(spec);
    await runtime.start(spec);
    return spec;
  }

  async function stateOf(spec: InstanceSpec): Promise<InstanceRuntimeState | undefined> {
    return (await runtime.observe([spec])).instances.get(instanceKey(spec.id));
  }
});
