/** `nexus3 check` on Docker against the shell script of the protocol’s pages. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { FALKORDB_IMAGE, NO_MODULE_IMAGE } from '../test/support/docker-images.js';
import type { Comparison, Contest } from './comparison.js';
import { alternate, judge } from './comparison.js';
import type { DockerBench } from './docker-bench.js';
import { Estate } from './estate.js';
import { script } from './rival-script.js';

const ROUNDS = { warmUps: 1, pairs: 7 };
/** One round of the larger one takes ten seconds and more. */
const ROUNDS_OF_MANY = { warmUps: 1, pairs: 5 };
const SCRIPT_TIMEOUT_MS = 300_000;

export async function checkRegistry(docker: DockerBench): Promise<readonly Comparison[]> {
  const contest: Contest = {
    name: 'check-docker-12',
    nexus3: '`nexus3 check`, 12 environments in 22 containers',
    rival: 'the protocol’s shell script',
    target: { kind: 'times-faster', min: 4 },
  };
  await using estate = await Estate.plan({
    runtime: 'docker',
    standard: 10,
    secure: 2,
    image: FALKORDB_IMAGE,
    dockerHost: docker.host,
  });
  return [await compareChecks(docker, estate, contest, ROUNDS)];
}

export async function checkHundred(docker: DockerBench): Promise<readonly Comparison[]> {
  const contest: Contest = {
    name: 'check-docker-100',
    nexus3: '`nexus3 check`, 100 environments and Locker in 201 containers, no graph module',
    rival: 'the protocol’s shell script',
    target: { kind: 'times-faster', min: 10 },
  };
  await using estate = await Estate.plan({
    runtime: 'docker',
    standard: 100,
    secure: 1,
    image: NO_MODULE_IMAGE,
    module: 'none',
    dockerHost: docker.host,
  });
  return [await compareChecks(docker, estate, contest, ROUNDS_OF_MANY)];
}

async function compareChecks(
  docker: DockerBench,
  estate: Estate,
  contest: Contest,
  rounds: { readonly warmUps: number; readonly pairs: number },
): Promise<Comparison> {
  try {
    await estate.nexus3('up', '--quiet');
    const list = join(estate.root, 'list');
    await writeFile(list, await listOf(estate), { mode: 0o600 });
    const rival = script('check.sh', [estate.prefix, estate.network, list], estate.env, SCRIPT_TIMEOUT_MS);
    return judge(contest, await alternate(() => estate.check(), rival, rounds));
  } finally {
    await docker.clear();
  }
}

/** One line for each environment: name, ports, the password of the vault’s `default` user. */
async function listOf(estate: Estate): Promise<string> {
  const credentials = await estate.credentials();
  const lines = estate.environments.map(({ name, kind, vaultPort }) => {
    const operational = kind === 'standard' ? String(vaultPort + 1) : '-';
    return `${name} ${String(vaultPort)} ${operational} ${credentials.get(name)?.default?.reveal() ?? ''}\n`;
  });
  return lines.join('');
}
