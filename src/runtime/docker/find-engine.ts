/** Finds the Docker engine of this host, by an ordered list of strategies. */
import { Nexus3Error } from '../../errors.js';
import { defaultSocket } from './strategies/default-socket.js';
import { dockerHost } from './strategies/docker-host.js';
import { rootlessSocket } from './strategies/rootless-socket.js';
import type { EngineStrategy } from './strategies/strategy.js';

export const ENGINE_STRATEGIES: readonly EngineStrategy[] = [dockerHost, defaultSocket, rootlessSocket];

const INSTALL_IT = 'Install and start Docker, or name its socket in DOCKER_HOST; without Docker: --runtime process.';
const JOIN_GROUP = 'Join the group docker (sudo usermod -aG docker "$USER", then log in again), or run nexus3 as root.';

/** The path of its socket. @throws Nexus3Error DOCKER_UNREACHABLE with what each strategy found */
export async function findEngineSocket(
  environment: NodeJS.ProcessEnv,
  connectMs: number,
  strategies: readonly EngineStrategy[] = ENGINE_STRATEGIES,
): Promise<string> {
  const evidence: string[] = [];
  for (const strategy of strategies) {
    const answer = await strategy.find(environment, connectMs);
    if (answer.kind === 'socket') return answer.socketPath;
    evidence.push(`${strategy.name}: ${answer.why}`);
    if (answer.kind === 'unusable') {
      throw new Nexus3Error('DOCKER_UNREACHABLE', `The Docker engine of ${strategy.name} cannot be used.`, {
        evidence,
        hint: answer.hint,
      });
    }
  }
  const denied = evidence.some((line) => line.includes('permission denied'));
  const message = denied
    ? 'You may not use the Docker engine of this host.'
    : 'There is no Docker engine on this host.';
  throw new Nexus3Error('DOCKER_UNREACHABLE', message, { evidence, hint: denied ? JOIN_GROUP : INSTALL_IT });
}
