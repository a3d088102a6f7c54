import { runtimeDirectives } from '../../protocol/redis-conf.js';
import { CONFIG_FILE } from '../../protocol/layout.js';
import type { Action } from '../action.js';
import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { differsIn, guardOf, instanceIn, instancesIn, isOwned, isUp } from '../facts.js';
import { volatileSettings } from '../volatile.js';
import { prepare, recreate, thenLinked } from './repairs.js';
import type { Rule } from './rule.js';

export const configDrift: Rule = {
  code: 'config-drift',
  severity: 'error',
  means: 'A rendered file, or how the container was made, differs from what nexus3.yaml and Locker say.',
  repairs:
    'rendered; put in force at runtime where Redis can, restarted or made again where it cannot, operational first; another image for a vault never',
  see: (facts) =>
    instancesIn(facts)
      .filter((instance) => isOwned(instance) && !isExplainedOtherwise(facts, instance))
      .flatMap((instance) => {
        const image = instance.runtime?.differences.find(({ aspect }) => aspect === 'image');
        const definition = differsIn(instance, 'definition');
        const files = driftedFiles(facts, instance);
        if (files.length === 0 && image === undefined && !definition) return [];
        const parts = [...files, ...(image === undefined ? [] : ['image']), ...(definition ? ['container'] : [])];
        const forbidden = image !== undefined && instance.id.role === 'vault';
        const fenced = instance.folder.fenced;
        return [
          {
            instance: instance.id.role,
            message: fenced ? 'fenced by a recovery that was cut off' : `not as rendered: ${parts.join(', ')}`,
            evidence: {
              differs: parts.join(', '),
              ...(files.includes(CONFIG_FILE.redisConf)
                ? { directives: instance.folder.driftedDirectives.join(', ') }
                : {}),
              ...(image === undefined ? {} : { expected: image.expected, actual: image.actual }),
            },
            remedy: fenced
              ? `A recovery was cut off: nexus3 recover ${instance.id.env} --vault finishes it`
              : forbidden
                ? `A vault’s image is changed by hand: upgrade the operational first, back up, then make the vault again`
                : `nexus3 check ${instance.id.env} --fix`,
            fixable: !forbidden && !fenced,
          },
        ];
      }),
  repair: (role, facts) => {
    const instance = instanceIn(facts, role);
    if (differsIn(instance, 'definition') || differsIn(instance, 'image')) return recreate(role, facts);
    const actions: Action[] = [...prepare(role, facts)];
    if (!isUp(instance)) return actions;
    if (needsRestart(instance)) return [...actions, { kind: 'restart', on: instance.id }, ...thenLinked(facts)];
    if (instance.folder.drifted.includes(CONFIG_FILE.usersAcl)) actions.push({ kind: 'load-users', on: instance.id });
    for (const { name, value } of volatileSettings(facts, instance)) {
      actions.push({ kind: 'set-config', on: instance.id, name, value });
    }
    return actions;
  },
};

/** A port or a folder that differs makes its rendered lines differ too: that finding says it. */
function isExplainedOtherwise(facts: EnvironmentFacts, instance: InstanceFacts): boolean {
  return (
    differsIn(instance, 'port') ||
    differsIn(instance, 'mount') ||
    // Fenced, or about to be: `restore-unfinished` says it.
    (instance.id.role === 'vault' && facts.restore !== undefined) ||
    // An operational's file names its vault's port.
    (instance.id.role === 'operational' && differsIn(facts.vault, 'port'))
  );
}

/** Files of a stopped instance are rendered by whatever starts it: `instance-stopped` is enough to say. */
function driftedFiles(facts: EnvironmentFacts, instance: InstanceFacts): readonly string[] {
  if (facts.missingCredentials?.length !== 0 || !isUp(instance)) return [];
  // What does not answer is restarted, and rendered before that.
  if (instance.view?.state === 'unreachable') return [];
  const unmarked = instance.id.role === 'vault' && isOwned(instance) && guardOf(facts).state === 'unmarked';
  // Without its mark, the vault would be held at its next start.
  return unmarked ? [...instance.folder.drifted, CONFIG_FILE.mark] : instance.folder.drifted;
}

/** What Redis takes at runtime needs no restart; a port, a path or the module's arguments do. */
function needsRestart(instance: InstanceFacts): boolean {
  if (!instance.folder.drifted.includes(CONFIG_FILE.redisConf)) return false;
  const settable = new Set(runtimeNames(instance));
  return instance.folder.driftedDirectives.some((name) => !settable.has(name));
}

function runtimeNames(instance: InstanceFacts): readonly string[] {
  // The values do not matter here, only which directives there are.
  const settings = { maxmemory: '', appendfsync: 'no', save: '', lagBytesMax: 0, keepHistory: false } as const;
  const none = { threads: undefined, queryTimeoutMs: undefined, queryQueueMax: undefined };
  return runtimeDirectives(instance.id.role, { ...settings, ...none }).map(({ name }) => name);
}
