import { ENGINE_EXIT, HELD_EXIT } from '../../protocol/start-script.js';
import type { InstanceFacts } from '../facts.js';
import { endedWith, instancesIn, isOwned } from '../facts.js';
import { restart } from './repairs.js';
import type { Rule } from './rule.js';

/** So many restarts without an answer are a loop, also when the runtime says `running` at this instant. */
const RESTARTS_MIN = 2;
const LOG_LINES_SHOWN = 3;

export const instanceCrashLooping: Rule = {
  code: 'instance-crash-looping',
  severity: 'error',
  means: 'The runtime starts it again and again, and it ends each time. The last log lines say why.',
  repairs: 'rendered and restarted once; what still ends after that is left',
  // After a single crash the runtime is seen restarting, too.
  confirm: true,
  see: (facts) =>
    instancesIn(facts)
      .filter(isLooping)
      .map((instance) => ({
        instance: instance.id.role,
        message: `the ${instance.id.role} ends as soon as it is started`,
        evidence: {
          exitCode: instance.runtime?.exitCode ?? null,
          restarts: instance.runtime?.restartCount ?? 0,
          log: instance.log.slice(-LOG_LINES_SHOWN).join('\n'),
        },
        remedy: `nexus3 check ${instance.id.env} --fix; then, if it goes on: nexus3 logs ${instance.id.env} --${instance.id.role}`,
        fixable: isOwned(instance),
      })),
  repair: restart,
};

function isLooping(instance: InstanceFacts): boolean {
  const runtime = instance.runtime;
  if (runtime === undefined || endedWith(instance, HELD_EXIT) || endedWith(instance, ENGINE_EXIT)) return false;
  if (runtime.state === 'restarting') return true;
  return runtime.restartCount >= RESTARTS_MIN && instance.view?.state === 'unreachable';
}
