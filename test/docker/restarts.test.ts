/**
 * Restarts of anything, in any order: each time the environment is healthy again without nexus3. It is asked by plain
 * connections, as clients ask; `check` only looks at the end, and has nothing to do. An engine of its own, because one of
 * the stories restarts it.
 */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Inspected } from '../support/docker-hands.js';
import { docker, inspect, onContainer } from '../support/docker-hands.js';
import type { TestEngine } from '../support/docker-engine.js';
import { restartTestEngine, startTestEngine, stopTestEngine } from '../support/docker-engine.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { until } from '../support/break.js';
import { findingOf, Nexus } from '../support/nexus.js';

const ENGINE_TIMEOUT_MS = 180_000;

describeOnDocker('restarts', () => {
  let engine: TestEngine;
  let nexus: Nexus;
  let marks = 0;
  /** Known beforehand: while nexus3 does not run, nobody asks Locker. */
  let password: string;

  beforeAll(async () => {
    engine = await startTestEngine();
    nexus = await Nexus.make({
      runtime: 'docker',
      environments: { track: 'standard' },
      env: { DOCKER_HOST: engine.host },
    });
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})");
    password = await nexus.password('track');
    await healthyByItself();
  }, ENGINE_TIMEOUT_MS);

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
    await stopTestEngine(engine);
  }, ENGINE_TIMEOUT_MS);

  /** What was healthy by itself needs nothing from nexus3, either. */
  afterEach(async () => {
    const report = await nexus.report(0, 'check', '--fix');
    expect(report.applied).toBe(0);
    expect(report.environments.every(({ ok }) => ok)).toBe(true);
  });

  /** A new write with the applications' password on the vault is read without one on the operational, as are the old ones. */
  async function healthyByItself(): Promise<void> {
    marks += 1;
    const mark = String(marks);
    await until(
      async () => (await nexus.asApplication('track', password, 'SET', 'mark', mark)) === 'OK',
      'a write on the vault',
    );
    const read = (...args: string[]): Promise<unknown> => nexus.anonymous('track', 'operational', ...args);
    await until(async () => (await read('GET', 'mark').catch(() => undefined)) === mark, 'the read of it');
    expect(await read('GET', 'kept')).toBe('value');
    const rows = await read('GRAPH.RO_QUERY', 'projects', 'MATCH (p:Project) RETURN p.name');
    expect(JSON.stringify(rows)).toContain('nexus');
  }

  it.each(['vault', 'operational'] as const)('the %s is restarted', async (role) => {
    await onContainer(nexus, 'track', role, 'POST', '/restart');
    await healthyByItself();
  });

  it.each([
    ['the vault, then the operational', ['vault', 'operational']],
    ['the operational, then the vault', ['operational', 'vault']],
  ] as const)('both are restarted: %s', async (_, order) => {
    for (const role of order) await onContainer(nexus, 'track', role, 'POST', '/restart');
    await healthyByItself();
  });

  it('the server in the vault is killed, as by a crash: its restart policy brings it back', async () => {
    const before = await inspect(nexus, 'track', 'vault');
    process.kill(before.State.Pid, 'SIGKILL');
    await until(async () => (await inspect(nexus, 'track', 'vault')).State.StartedAt !== before.State.StartedAt);
    await healthyByItself();
  });

  it('the engine itself is restarted', async () => {
    await restartTestEngine(engine);
    await healthyByItself();
  });

  it('the operational is started before its vault exists, and follows it as soon as it is there', async () => {
    await onContainer(nexus, 'track', 'operational', 'POST', '/stop');
    // Its container is put away under another name: for the operational there is no vault of that name.
    const vault = (await nexus.spec('track', 'vault')).name;
    await onContainer(nexus, 'track', 'vault', 'POST', '/stop');
    await docker(nexus, 'POST', `/containers/${vault}/rename?name=${vault}-away`);
    await onContainer(nexus, 'track', 'operational', 'POST', '/start');
    await until(async () => (await nexus.anonymous('track', 'operational', 'PING').catch(() => '')) === 'PONG');
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept'), 'it serves what it had').toBe('value');
    await docker(nexus, 'POST', `/containers/${vault}-away/rename?name=${vault}`);
    await onContainer(nexus, 'track', 'vault', 'POST', '/start');
    await healthyByItself();
  });

  it('another container takes the vault’s IP while it is down', async () => {
    const { name, network, image } = await nexus.spec('track', 'vault');
    const address = (await inspect(nexus, 'track', 'vault')).NetworkSettings.Networks[network]?.IPAddress;
    await onContainer(nexus, 'track', 'vault', 'POST', '/stop');
    await docker(nexus, 'POST', `/containers/create?name=${name}-squatter`, {
      Image: image,
      Entrypoint: ['redis-server', '--protected-mode', 'no'],
      HostConfig: { NetworkMode: network },
    });
    try {
      // The engine hands out the lowest free address: the one that has just become free.
      await docker(nexus, 'POST', `/containers/${name}-squatter/start`);
      const squatter = (await docker(nexus, 'GET', `/containers/${name}-squatter/json`)) as Inspected;
      expect(squatter.NetworkSettings.Networks[network]?.IPAddress).toBe(address);
      await onContainer(nexus, 'track', 'vault', 'POST', '/start');
      await healthyByItself();
    } finally {
      await docker(nexus, 'DELETE', `/containers/${name}-squatter?force=1`);
    }
  });

  it('the operational’s data folder is wiped, and it is started by hand: it refills', async () => {
    const { dataDir } = await nexus.spec('track', 'operational');
    await onContainer(nexus, 'track', 'operational', 'POST', '/stop');
    for (const name of await readdir(dataDir)) await rm(join(dataDir, name), { recursive: true });
    await onContainer(nexus, 'track', 'operational', 'POST', '/start');
    await healthyByItself();
  });

  it(
    'a vault whose data are gone stays held through all of it, and its operational keeps the last copy',
    async () => {
      await onContainer(nexus, 'track', 'vault', 'POST', '/stop');
      const { dataDir } = await nexus.spec('track', 'vault');
      for (const name of await readdir(dataDir)) await rm(join(dataDir, name), { recursive: true });
      await onContainer(nexus, 'track', 'vault', 'POST', '/start');
      await isHeld();
      await onContainer(nexus, 'track', 'vault', 'POST', '/restart');
      await isHeld();
      await until(async () => (await inspect(nexus, 'track', 'vault')).RestartCount > 3, 'Docker to start it again');
      await isHeld();
      await onContainer(nexus, 'track', 'operational', 'POST', '/restart');
      await isHeld();
      await restartTestEngine(engine);
      await isHeld();
      const recovered = await nexus.run('recover', 'track', '--vault', '--yes');
      expect(recovered.code, recovered.err).toBe(0);
      await healthyByItself();
    },
    ENGINE_TIMEOUT_MS,
  );

  /** Docker starts it again and again; that is said as what it is, and not as a crash loop. */
  async function isHeld(): Promise<void> {
    const read = (): Promise<unknown> => nexus.anonymous('track', 'operational', 'GET', 'kept').catch(() => undefined);
    await until(async () => (await read()) === 'value', 'the operational');
    expect(await nexus.findings('track')).toEqual(['vault-empty vault']);
    const report = await nexus.report(1, 'check', 'track', '--fix');
    expect(report.applied).toBe(0);
    expect(report.environments[0]?.vault.state).toBe('held');
    expect(findingOf(report, 'track', 'vault-empty').remedy).toContain('nexus3 recover track --vault');
  }
});
