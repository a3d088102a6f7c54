/** Which settings of a running server are not the rendered ones, and so would change at its next start. Pure. */
import type { Directive } from '../protocol/redis-conf.js';
import { graphModuleArguments, runtimeDirectives, sameDirectiveValue } from '../protocol/redis-conf.js';
import type { EnvironmentFacts, InstanceFacts } from './facts.js';
import { serverOf } from './facts.js';

export interface VolatileSetting extends Directive {
  readonly actual: string;
}

/** Directives that have a finding of their own. */
const REPORTED_ELSEWHERE = {
  vault: ['maxmemory-policy', 'appendonly'],
  operational: ['maxmemory-policy', 'replica-read-only'],
} as const;

export function volatileSettings(facts: EnvironmentFacts, instance: InstanceFacts): readonly VolatileSetting[] {
  const server = serverOf(instance);
  if (server === undefined) return [];
  const elsewhere: readonly string[] = REPORTED_ELSEWHERE[instance.id.role];
  return runtimeDirectives(instance.id.role, facts.environment.settings).flatMap((directive) => {
    const actual = server.config.get(directive.name);
    if (actual === undefined || elsewhere.includes(directive.name)) return [];
    return sameDirectiveValue(directive.name, directive.value, actual) ? [] : [{ ...directive, actual }];
  });
}

/**
 * The graph module was loaded with other arguments than are rendered: by another nexus3, or the file was rendered since and
 * what was to restart the server was cut off.
 */
export function hasOtherModuleArguments(facts: EnvironmentFacts, instance: InstanceFacts): boolean {
  const inForce = serverOf(instance)?.moduleArguments;
  if (inForce === undefined || instance.placement.modulePath === undefined) return false;
  return inForce.join(' ') !== graphModuleArguments(facts.environment.settings).join(' ');
}
