import { socketAnswer } from './socket.js';
import type { EngineStrategy } from './strategy.js';

const UNIX = 'unix://';

/** `$DOCKER_HOST`, when it names a socket of this host. */
export const dockerHost: EngineStrategy = {
  name: '$DOCKER_HOST',
  async find(environment, connectMs) {
    const host = environment['DOCKER_HOST'];
    if (host === undefined || host === '') return { kind: 'not-applicable', why: 'not set' };
    if (!host.startsWith(UNIX) || host === UNIX) {
      return {
        kind: 'unusable',
        why: `it is ${withoutUser(host)}, but the engine must be on this host, because the folders of the instances are`,
        hint: 'Set DOCKER_HOST to a socket of this host (unix:///var/run/docker.sock), or unset it.',
      };
    }
    const answer = await socketAnswer(host.slice(UNIX.length), connectMs);
    // It was asked for: nothing else is tried in its place.
    if (answer.kind !== 'not-applicable') return answer;
    return {
      kind: 'unusable',
      why: answer.why,
      hint: 'Start the engine that DOCKER_HOST names, or unset DOCKER_HOST.',
    };
  },
};

/** ssh://user:password@host is somebody's secret. */
function withoutUser(host: string): string {
  return host.replace(/\/\/[^@/]*@/, '//');
}
