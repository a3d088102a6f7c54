import { instancesIn } from '../facts.js';
import type { Rule } from './rule.js';

export const foreignInstance: Rule = {
  code: 'foreign-instance',
  severity: 'error',
  means: 'A container of this name was made by somebody else. It is observed and checked, never changed.',
  repairs: 'never',
  see: (facts) =>
    instancesIn(facts)
      .filter(({ runtime }) => runtime?.owned === false)
      .map(({ id, spec }) => ({
        instance: id.role,
        message: `${spec.name} was not made by nexus3`,
        evidence: { container: spec.name },
        remedy: `Keep its data, remove the container by hand (docker rm ${spec.name}), then run: nexus3 up ${id.env}`,
        fixable: false,
      })),
};
