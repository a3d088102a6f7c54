import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { until } from '../support/break.js';
import type { Role } from '../../src/protocol/environment.js';
import { docker, DOCKER_HANDS, dockerNexus, socketOf } from '../support/docker-hands.js';
import { dockerExec } from '../support/docker-api.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { Nexus } from '../support/nexus.js';
import type { Hunted, Passwords } from '../support/secret-hunt.js';
import { findIn, huntFiles, huntProcesses } from '../support/secret-hunt.js';
import { describeSecrets } from '../support/secrets-scenarios.js';

const INSTANCES: readonly (readonly [string, Role])[] = [
  ['locker', 'vault'],
  ['track', 'vault'],
  ['track', 'operational'],
  ['notes', 'vault'],
  ['notes', 'operational'],
];

/** `docker inspect` of every container, image, network and volume of the engine, and what it has written about containers. */
async function huntEngine(nexus: Nexus, passwords: Passwords): Promise<Hunted> {
  const found: string[] = [];
  const containers = (await docker(nexus, 'GET', '/containers/json?all=1')) as { Id: string; Names: string[] }[];
  for (const { Id, Names } of containers) {
    const inspected = await docker(nexus, 'GET', `/containers/${Id}/json`);
    found.push(...findIn(`docker inspect ${Names.join()}`, JSON.stringify(inspected), passwords));
  }
  for (const path of ['/images/json?all=1', '/networks', '/volumes', '/info']) {
    found.push(...findIn(`docker ${path}`, JSON.stringify(await docker(nexus, 'GET', path)), passwords));
  }
  const { DockerRootDir } = (await docker(nexus, 'GET', '/info')) as { readonly DockerRootDir: string };
  const written = await huntFiles(join(DockerRootDir, 'containers'), passwords, () => false);
  return { files: containers.length, found: [...found, ...written.found] };
}

async function huntContainers(nexus: Nexus, passwords: Passwords): Promise<Hunted> {
  const { files, found } = await huntEngine(nexus, passwords);
  const seen = [...found];
  for (const [env, role] of INSTANCES) {
    const { name } = await nexus.spec(env, role);
    const { output } = await dockerExec(socketOf(nexus), name, ['cat', '/proc/1/cmdline', '/proc/1/environ']);
    expect(output).toContain('redis-server');
    seen.push(...findIn(`processes of ${name}`, output, passwords));
    for (const format of [[], ['--json']]) {
      seen.push(...findIn(`logs of ${env}`, (await nexus.run('logs', env, ...format)).out, passwords));
    }
  }
  return { files, found: seen };
}

describeOnDocker('no secret leaves Locker, on Docker', () => {
  describeSecrets(dockerNexus({ track: 'standard' }), DOCKER_HANDS, huntContainers);

  describe('and this test would see one', () => {
    it('in a container’s definition and log, on its command line and in its environment', async () => {
      await using nexus = await Nexus.make(dockerNexus({}));
      await using world = await nexus.world();
      const { image, network, containerPrefix } = world.configuration;
      await world.runtime.ready();
      await world.runtime.ensureNetwork();
      const name = `${containerPrefix}-planted`;
      const passwords = new Map([['nobody', `planted-${String(Math.random())}-password`]]);
      const [[, secret = ''] = []] = passwords;
      await docker(nexus, 'POST', `/containers/create?name=${name}`, {
        Image: image,
        Entrypoint: ['sh', '-c', `echo ${secret}; sleep 60`],
        Env: [`PLANTED=${secret}`],
        HostConfig: { NetworkMode: network },
      });
      await docker(nexus, 'POST', `/containers/${name}/start`);
      try {
        await until(async () => (await huntEngine(nexus, passwords)).found.join().includes('-json.log'), 'its log');
        const { found } = await huntEngine(nexus, passwords);
        expect(found.join('\n')).toMatch(new RegExp(`docker inspect /${name}: the password of nobody`));
        expect(found.join('\n')).toMatch(/config\.v2\.json: the password of nobody/);
        const processes = (await huntProcesses(passwords)).found.join('\n');
        expect(processes).toMatch(/: cmdline: the password of nobody/);
        expect(processes).toMatch(/: environ: the password of nobody/);
      } finally {
        await docker(nexus, 'DELETE', `/containers/${name}?force=1`);
      }
    });
  });
});
