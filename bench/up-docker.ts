/** `nexus3 up` of the registry against `docker run` one by one and the protocol’s runtime commands, fresh each time. */
import { randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FALKORDB_IMAGE } from '../test/support/docker-images.js';
import type { Comparison, Contest } from './comparison.js';
import { alternate, judge } from './comparison.js';
import type { DockerBench } from './docker-bench.js';
import { Estate } from './estate.js';
import { runScript } from './rival-script.js';

const ROUNDS = { warmUps: 1, pairs: 3 };
const SCRIPT_TIMEOUT_MS = 300_000;

export async function upRegistry(docker: DockerBench): Promise<readonly Comparison[]> {
  await using estate = await Estate.plan({
    runtime: 'docker',
    standard: 10,
    secure: 2,
    image: FALKORDB_IMAGE,
    dockerHost: docker.host,
  });
  const list = join(estate.root, 'list');
  await writeFile(list, listOf(estate), { mode: 0o600 });
  const args = [estate.prefix, estate.network, join(estate.root, 'data'), FALKORDB_IMAGE, list];
  const fresh = async (): Promise<void> => {
    await docker.clear();
    await estate.forget();
  };
  /** When the rival had given its last command: before its operationals were linked. */
  const commandsGivenMs: number[] = [];
  try {
    const pairs = await alternate(
      async () => {
        await fresh();
        return (await estate.nexus3('up', '--quiet')).ms;
      },
      async () => {
        await fresh();
        const { ms, stdout } = await runScript('up.sh', args, estate.env, SCRIPT_TIMEOUT_MS);
        commandsGivenMs.push(Number(stdout.trim()));
        return ms;
      },
      ROUNDS,
    );
    const given = commandsGivenMs.slice(ROUNDS.warmUps);
    const unlinked = pairs.map(({ nexus3Ms }, index) => ({ nexus3Ms, rivalMs: given[index] ?? Number.NaN }));
    return [judge(LINKED, pairs), judge(UNLINKED, unlinked)];
  } finally {
    await docker.clear();
  }
}

const LINKED: Contest = {
  name: 'up-docker-22',
  nexus3: '`nexus3 up`, 12 environments in 22 containers, to the last proof',
  rival: '`docker run` one by one and the protocol’s runtime commands, to the last link up',
  target: { kind: 'times-faster', min: 1.3 },
};
const UNLINKED: Contest = {
  name: 'up-docker-22-commands',
  nexus3: LINKED.nexus3,
  rival: 'the same, but only until its last command was given: no link waited for',
  target: { kind: 'none' },
};

function listOf(estate: Estate): string {
  const lines = estate.environments.map(({ name, kind, vaultPort }) => {
    const operational = kind === 'standard' ? String(vaultPort + 1) : '-';
    return `${name} ${String(vaultPort)} ${operational} ${randomBytes(32).toString('hex')}\n`;
  });
  return lines.join('');
}
