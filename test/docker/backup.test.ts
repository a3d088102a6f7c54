import { describeBackup } from '../support/backup-scenarios.js';
import { docker, dockerNexus, containersOf } from '../support/docker-hands.js';
import { describeOnDocker } from '../support/docker-tests.js';
import type { Nexus } from '../support/nexus.js';

interface Listed {
  readonly Names: readonly string[];
}

async function running(nexus: Nexus): Promise<readonly string[]> {
  const all = await containersOf(nexus);
  const up = (await docker(nexus, 'GET', '/containers/json')) as readonly Listed[];
  return up.flatMap(({ Names }) => Names.filter((name) => all.includes(name) && name.includes('-scratch-')));
}

describeOnDocker('backups, on Docker', () => {
  const left = async (nexus: Nexus): Promise<readonly string[]> =>
    (await containersOf(nexus)).filter((name) => name.includes('-scratch-'));
  describeBackup(dockerNexus({ track: 'standard', user: 'secure' }), { running, left }, 2);
});
