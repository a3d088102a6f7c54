/** Findings that only containers have: each with a real container, broken with what `docker` itself offers. */
import { appendFile, chown, mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { until } from '../support/break.js';
import { docker, DOCKER_HANDS, dockerNexus, hang, inspect, onContainer, remake } from '../support/docker-hands.js';
import { FALKORDB_IMAGE, NO_MODULE_IMAGE, OLD_REDIS_IMAGE } from '../support/docker-images.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { codesOf, findingOf, findingsOf, freePortBlock, Nexus } from '../support/nexus.js';
import { storiesOf } from '../support/stories.js';

const HANG_TIMEOUT_MS = 120_000;
/** Another name of the same image. */
const PINNED_IMAGE = 'nexus3-test/pinned:1.0';

describeOnDocker('findings of containers', () => {
  let nexus: Nexus;
  let yaml: string;
  const { foundAndFixed, foundAndLeft, isHealthyWithItsData, nothingLeftToDo } = storiesOf(() => nexus);

  beforeAll(async () => {
    nexus = await Nexus.make(dockerNexus({ track: 'standard' }));
    yaml = await readFile(nexus.configFile, 'utf8');
    await nexus.report(0, 'up');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})");
  });

  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
    await docker(nexus, 'DELETE', `/images/${PINNED_IMAGE}`);
  });

  /** One story that goes wrong must not make the next ones go wrong. */
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    await nexus.editYaml(() => yaml);
    await nexus.run('down', 'track');
    for (const role of ['operational', 'vault'] as const) {
      await DOCKER_HANDS.takeAway(nexus, 'track', role).catch(() => undefined);
    }
    await nexus.run('check', '--fix');
  });

  async function networkName(): Promise<string> {
    return (await nexus.spec('track', 'vault')).network;
  }

  describe('the network', () => {
    it('network-detached: someone took the operational off it', async () => {
      const { name } = await nexus.spec('track', 'operational');
      const body = { Container: name, Force: true };
      await docker(nexus, 'POST', `/networks/${await networkName()}/disconnect`, body);
      await foundAndFixed(['network-detached operational'], 'connect track/operational to the network');
    });

    it('network-detached: someone took the vault off it', async () => {
      const { name } = await nexus.spec('track', 'vault');
      await docker(nexus, 'POST', `/networks/${await networkName()}/disconnect`, { Container: name, Force: true });
      await foundAndFixed(['network-detached vault'], 'connect track/vault to the network');
    });

    it('network-missing: someone stopped everything and pruned the networks', async () => {
      await nexus.run('down');
      await docker(nexus, 'DELETE', `/networks/${await networkName()}`);
      const { code, out } = await nexus.run('check', '--json');
      expect(code, out).toBe(3);
      const seen = JSON.parse(out) as Awaited<ReturnType<Nexus['report']>>;
      for (const env of ['locker', 'track']) expect(findingOf(seen, env, 'network-missing').fixable).toBe(true);
      const planned = await nexus.run('check', '--fix', '--dry-run', '--json');
      expect(planned.out).toContain('create the network');
      const fixed = await nexus.report(0, 'check', '--fix');
      expect(fixed.environments.flatMap(({ findings }) => findings).filter(({ fixed: done }) => done)).not.toEqual([]);
      await isHealthyWithItsData();
      await nothingLeftToDo();
    });

    it('network-missing: someone removed it under running containers', async () => {
      const name = await networkName();
      for (const [env, role] of [
        ['locker', 'vault'],
        ['track', 'vault'],
        ['track', 'operational'],
      ] as const) {
        const spec = await nexus.spec(env, role);
        await docker(nexus, 'POST', `/networks/${name}/disconnect`, { Container: spec.name, Force: true });
      }
      await docker(nexus, 'DELETE', `/networks/${name}`);
      // Without a network no port is published: Locker itself cannot be asked.
      const { code, out } = await nexus.run('check', '--json');
      expect(code, out).toBe(3);
      const seen = JSON.parse(out) as Awaited<ReturnType<Nexus['report']>>;
      for (const env of ['locker', 'track']) expect(codesOf(seen, env)).toEqual(['network-missing vault']);
      await nexus.report(0, 'check', '--fix');
      await isHealthyWithItsData();
      await nothingLeftToDo();
    });
  });

  describe('how it was made', () => {
    it('port-mismatch: nexus3.yaml gives the environment other ports', async () => {
      const { port } = await nexus.spec('track', 'vault');
      const other = await freePortBlock(2);
      await nexus.editYaml((text) => text.replace(`vault: ${String(port)}`, `vault: ${String(other)}`));
      await foundAndFixed(
        ['port-mismatch vault', 'port-mismatch operational'],
        'make track/vault again, keeping its folders',
        'make track/operational again, keeping its folders',
      );
      yaml = await readFile(nexus.configFile, 'utf8');
    });

    it('mount-mismatch: the operational has another data folder; it gets its own, and refills', async () => {
      const { dataDir } = await nexus.spec('track', 'operational');
      const elsewhere = join(nexus.root, 'elsewhere');
      await mkdir(elsewhere);
      const { uid, gid } = await stat(dataDir);
      await chown(elsewhere, uid, gid);
      await remake(nexus, 'track', 'operational', ({ HostConfig }) => {
        mountOf(HostConfig.Mounts, dataDir).Source = elsewhere;
      });
      await foundAndFixed(['mount-mismatch operational'], 'make track/operational again, keeping its folders');
      expect((await inspect(nexus, 'track', 'operational')).Mounts.map(({ Source }) => Source)).toContain(dataDir);
      await rm(elsewhere, { recursive: true });
    });

    it('mount-mismatch: the vault has its data elsewhere; nexus3 never moves it, and never touches either folder', async () => {
      const { dataDir, name } = await nexus.spec('track', 'vault');
      const elsewhere = join(nexus.root, 'elsewhere');
      await onContainer(nexus, 'track', 'vault', 'POST', '/stop');
      await rename(dataDir, elsewhere);
      await remake(nexus, 'track', 'vault', ({ HostConfig }) => {
        mountOf(HostConfig.Mounts, dataDir).Source = elsewhere;
      });
      await until(async () => (await nexus.findings('track')).length === 1, 'the link');
      const before = await inspect(nexus, 'track', 'vault');
      await foundAndLeft(['mount-mismatch vault']);
      await nexus.report(1, 'up', 'track');
      expect((await nexus.run('recover', 'track', '--vault', '--yes', '--json')).out).toContain('RECOVER_REFUSED');
      expect(await inspect(nexus, 'track', 'vault')).toEqual(before);
      expect(await nexus.admin('track', 'vault', 'GET', 'kept')).toBe('value');

      // The way out that it names.
      await nexus.run('down', 'track');
      await docker(nexus, 'DELETE', `/containers/${name}`);
      await rm(dataDir, { recursive: true, force: true });
      await rename(elsewhere, dataDir);
      await nexus.report(0, 'up', 'track');
      await isHealthyWithItsData();
    });

    it('config-drift: the operational was made by another version of nexus3', async () => {
      await remake(nexus, 'track', 'operational', ({ Labels }) => {
        Labels['nexus3.spec'] = '0'.repeat(64);
      });
      await foundAndFixed(['config-drift operational'], 'make track/operational again, keeping its folders');
    });

    it('config-drift: so was the vault; it is made again, because its data lie outside it', async () => {
      await remake(nexus, 'track', 'vault', ({ Labels }) => {
        Labels['nexus3.spec'] = '0'.repeat(64);
      });
      await foundAndFixed(['config-drift vault'], 'make track/vault again, keeping its folders');
    });

    it('config-drift: nexus3.yaml names another image; the operational gets it, the vault never', async () => {
      await docker(nexus, 'POST', `/images/${FALKORDB_IMAGE}/tag?repo=nexus3-test/pinned&tag=1.0`);
      await nexus.editYaml((text) => `image: ${PINNED_IMAGE}\n${text}`);
      expect(await nexus.findings('track')).toEqual(['config-drift operational', 'config-drift vault']);
      const vault = await inspect(nexus, 'track', 'vault');
      const fixed = await nexus.report(1, 'check', 'track', '--fix');
      expect(codesOf(fixed, 'track')).toEqual(['config-drift vault']);
      expect(findingOf(fixed, 'track', 'config-drift')).toMatchObject({ instance: 'vault', fixable: false });
      expect((await inspect(nexus, 'track', 'operational')).Config.Image).toBe(PINNED_IMAGE);
      expect(await inspect(nexus, 'track', 'vault')).toEqual(vault);
      await foundAndLeft(['config-drift vault']);

      // By hand, when a backup has been made.
      await DOCKER_HANDS.stop(nexus, 'track', 'vault');
      await DOCKER_HANDS.takeAway(nexus, 'track', 'vault');
      await nexus.report(0, 'check', 'track', '--fix');
      await isHealthyWithItsData();
      expect((await inspect(nexus, 'track', 'vault')).Config.Image).toBe(PINNED_IMAGE);
      await nexus.editYaml(() => yaml);
      await DOCKER_HANDS.stop(nexus, 'track', 'vault');
      await DOCKER_HANDS.takeAway(nexus, 'track', 'vault');
      await nexus.report(0, 'check', 'track', '--fix');
      await isHealthyWithItsData();
    });

    it.each(['vault', 'operational'] as const)(
      'config-volatile: docker update --restart=no on the %s',
      async (role) => {
        await onContainer(nexus, 'track', role, 'POST', '/update', { RestartPolicy: { Name: 'no' } });
        await foundAndFixed([`config-volatile ${role}`], `make track/${role} again, keeping its folders`);
        expect((await inspect(nexus, 'track', role)).HostConfig.RestartPolicy.Name).toBe('unless-stopped');
      },
    );

    it('port-exposed: nexus3.yaml publishes on every address; that is a warning, and stays', async () => {
      await nexus.editYaml((text) => `bind: 0.0.0.0\n${text}`);
      await foundAndFixedTo(
        ['port-mismatch vault', 'port-mismatch operational'],
        ['port-exposed operational', 'port-exposed vault'],
      );
      const again = await nexus.report(0, 'check', 'track', '--fix');
      expect(again.ok).toBe(true);
      expect(again.plan).toEqual({ id: null, actions: [] });
      expect(findingOf(again, 'track', 'port-exposed')).toMatchObject({ severity: 'warning', fixable: false });
      await nexus.editYaml(() => yaml);
      await nexus.report(0, 'check', 'track', '--fix');
      await isHealthyWithItsData();
    });

    it('image-unpinned: the image is :latest; that is information', async () => {
      const report = await nexus.report(0, 'check', 'track');
      const infos = findingsOf(report, 'track').filter(({ severity }) => severity === 'info');
      expect(infos.map(({ code, instance }) => `${code} ${instance}`).toSorted()).toEqual([
        'image-unpinned operational',
        'image-unpinned vault',
      ]);
      await nothingLeftToDo();
    });
  });

  describe('the replication', () => {
    it('wrong-master: the operational follows its vault by an IP that dies with the container', async () => {
      const { NetworkSettings } = await inspect(nexus, 'track', 'vault');
      const address = NetworkSettings.Networks[await networkName()]?.IPAddress ?? '';
      await nexus.admin('track', 'operational', 'REPLICAOF', address, '6379');
      await until(
        async () => String(await nexus.admin('track', 'operational', 'ROLE')).includes('connected'),
        'the link',
      );
      const report = await nexus.report(1, 'check', 'track');
      expect(findingOf(report, 'track', 'wrong-master').evidence).toMatchObject({
        cause: 'ip',
        actual: `${address}:6379`,
      });
      await foundAndFixed(['wrong-master operational'], 'attach track/operational to its vault');
    });

    it('link-down: an operational that was restarted with a stale password', async () => {
      const { configDir } = await nexus.spec('track', 'operational');
      await appendFile(join(configDir, 'redis.conf'), 'masterauth stale\n');
      await onContainer(nexus, 'track', 'operational', 'POST', '/restart');
      await until(async () => (await nexus.findings('track')).includes('link-down operational'), 'the link to fail');
      const report = await nexus.report(1, 'check', 'track');
      expect(findingOf(report, 'track', 'link-down').evidence).toMatchObject({ cause: 'auth' });
      await foundAndFixed(
        ['config-drift operational', 'link-down operational'],
        'attach track/operational to its vault',
      );
    });
  });

  describe('it does not come up, or does not answer', () => {
    it('instance-crash-looping: nonsense in redis.conf; the last log lines say so, and what was rendered is put back', async () => {
      const { configDir } = await nexus.spec('track', 'operational');
      await appendFile(join(configDir, 'redis.conf'), 'no-such-directive yes\n');
      // A crash, not `docker restart`: a container that ends while that is under way counts as stopped by hand.
      process.kill((await inspect(nexus, 'track', 'operational')).State.Pid, 'SIGKILL');
      await until(
        async () => (await nexus.findings('track')).includes('instance-crash-looping operational'),
        'the loop',
      );
      const report = await nexus.report(1, 'check', 'track');
      const finding = findingOf(report, 'track', 'instance-crash-looping');
      expect(finding.evidence['log']).toContain('no-such-directive');
      expect(finding.evidence['exitCode']).toBe(1);
      await foundAndFixed(['instance-crash-looping operational'], 'restart track/operational');
    });

    it('instance-crash-looping: an image without the graph module; what still ends after one restart is left', async () => {
      await nexus.editYaml((text) => `image: ${NO_MODULE_IMAGE}\n${text}`);
      const vault = await inspect(nexus, 'track', 'vault');
      const fixed = await nexus.report(1, 'check', 'track', '--fix');
      expect(codesOf(fixed, 'track')).toEqual(['config-drift vault', 'instance-crash-looping operational']);
      expect(findingOf(fixed, 'track', 'instance-crash-looping').evidence['log']).toContain('falkordb.so');
      expect(await inspect(nexus, 'track', 'vault')).toEqual(vault);
      await nexus.editYaml(() => yaml);
      await nexus.report(0, 'check', 'track', '--fix');
      await isHealthyWithItsData();
    });

    it('version-incompatible: an image with an older engine; its start script refuses, and the operational’s data stay', async () => {
      await nexus.admin('track', 'operational', 'SAVE');
      await nexus.editYaml((text) => `image: ${OLD_REDIS_IMAGE}\n${text}`);
      const fixed = await nexus.report(1, 'check', 'track', '--fix');
      expect(codesOf(fixed, 'track')).toEqual(['config-drift vault', 'version-incompatible operational']);
      const { dataDir } = await nexus.spec('track', 'operational');
      const snapshot = await readFile(join(dataDir, 'dump.rdb'));
      await until(async () => (await inspect(nexus, 'track', 'operational')).RestartCount > 2, 'more restarts');
      await foundAndLeft(['config-drift vault', 'version-incompatible operational']);
      expect(await readdir(dataDir)).toContain('dump.rdb');
      expect((await readFile(join(dataDir, 'dump.rdb'))).equals(snapshot)).toBe(true);
      await nexus.editYaml(() => yaml);
      await nexus.report(0, 'check', 'track', '--fix');
      await isHealthyWithItsData();
    });

    it(
      'instance-unreachable: its process hangs, and Docker sees nothing wrong',
      async () => {
        await hang(nexus, 'track', 'operational');
        const fixed = await nexus.report(0, 'check', 'track', '--fix');
        expect(findingsOf(fixed, 'track').filter(({ fixed: done }) => done)).toMatchObject([
          { code: 'instance-unreachable', instance: 'operational' },
        ]);
        await isHealthyWithItsData();
        await nothingLeftToDo();
      },
      HANG_TIMEOUT_MS,
    );
  });

  /** Repaired, where what is left afterwards is no error. */
  async function foundAndFixedTo(expected: readonly string[], left: readonly string[]): Promise<void> {
    expect(await nexus.findings('track')).toEqual([...expected].toSorted());
    const fixed = await nexus.report(0, 'check', 'track', '--fix');
    expect(codesOf(fixed, 'track')).toEqual(left);
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
  }
});

function mountOf<M extends { readonly Source: string }>(mounts: readonly M[], source: string): M {
  const mount = mounts.find(({ Source }) => Source === source);
  if (mount === undefined) throw new Error(`nothing mounts ${source}`);
  return mount;
}
