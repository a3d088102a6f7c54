import { ENGINE_EXIT, HELD_EXIT } from '../../protocol/start-script.js';
import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { endedWith, instanceIn, instancesIn, isBetweenCopies, isHeld, isOwned } from '../facts.js';
import { prepare, thenLinked } from './repairs.js';
import type { Rule } from './rule.js';

export const instanceStopped: Rule = {
  code: 'instance-stopped',
  severity: 'error',
  means: 'The instance exists but does not run: stopped by somebody, killed, or (embedded runtime) gone with a reboot.',
  repairs: 'rendered and started',
  see: (facts) =>
    instancesIn(facts)
      .filter((instance) => isStopped(instance, facts))
      .map(({ id, runtime }) => ({
        instance: id.role,
        message:
          runtime?.endedUnexpectedly === true
            ? `the ${id.role} does not run, and was not stopped by nexus3`
            : `the ${id.role} does not run`,
        evidence: { exitCode: runtime?.exitCode ?? null, startedAt: runtime?.startedAt ?? null },
        remedy: `nexus3 up ${id.env}`,
        fixable: isOwned(instanceIn(facts, id.role)),
      })),
  repair: (role, facts) => {
    const on = instanceIn(facts, role).id;
    // What a runtime restarts because the guard held it is started afresh, not waited for.
    const begin = instanceIn(facts, role).runtime?.state === 'restarting' ? 'restart' : 'start';
    return [...prepare(role, facts), { kind: begin, on }, ...thenLinked(facts)];
  },
};

function isStopped(instance: InstanceFacts, facts: EnvironmentFacts): boolean {
  if (instance.id.role === 'vault' && (isHeld(facts) || isBetweenCopies(facts))) return false;
  if (endedWith(instance, ENGINE_EXIT)) return false;
  return instance.runtime?.state === 'stopped' || endedWith(instance, HELD_EXIT);
}
