import { instancesIn, isOwned, isUp } from '../facts.js';
import { instanceCrashLooping } from './instance-crash-looping.js';
import { restart } from './repairs.js';
import type { Rule } from './rule.js';

export const instanceUnreachable: Rule = {
  code: 'instance-unreachable',
  severity: 'error',
  means: 'It runs, but does not answer on its port: paused, hung, or its port is not published.',
  repairs: 'restarted once',
  confirm: true,
  see: (facts) => {
    // Nothing is published without a network.
    if (facts.network === 'missing') return [];
    const looping = new Set(instanceCrashLooping.see(facts).map(({ instance }) => instance));
    return instancesIn(facts)
      .filter((instance) => isUp(instance) && instance.view?.state === 'unreachable')
      .filter(({ id, runtime }) => !looping.has(id.role) && !hasNoPort(runtime?.differences ?? []))
      .map((instance) => ({
        instance: instance.id.role,
        message: `the ${instance.id.role} runs but does not answer on port ${String(instance.spec.port)}`,
        evidence: {
          state: instance.runtime?.state ?? null,
          cause: instance.view?.state === 'unreachable' ? instance.view.cause : null,
        },
        remedy: `nexus3 check ${instance.id.env} --fix`,
        fixable: isOwned(instance),
      }));
  },
  repair: restart,
};

/** Then `port-mismatch` or `network-detached` says what is wrong. */
function hasNoPort(differences: readonly { readonly aspect: string }[]): boolean {
  return differences.some(({ aspect }) => aspect === 'port' || aspect === 'network');
}
