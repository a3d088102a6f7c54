import type { Rule } from './rule.js';

/**
 * While its grace runs, a rotation is what somebody wants: whether a command still waits for the end or was killed makes
 * no difference until then.
 */
export const rotationUnfinished: Rule = {
  code: 'rotation-unfinished',
  severity: 'warning',
  means:
    'A rotation was cut off: old and new passwords are both accepted, and nobody is locked out. Not said while its grace still runs.',
  repairs: 'no; `rotate ENV` completes it',
  see: ({ environment, rotation }) => {
    if (rotation === undefined || rotation.graceRuns) return [];
    const { names, phase, startedAt, graceUntil } = rotation;
    return [
      {
        instance: 'vault',
        message: `a rotation of ${names.join(', ')} was begun and not finished`,
        evidence: { names: names.join(', '), phase, startedAt, graceUntil },
        remedy: `nexus3 rotate ${environment.name}`,
        fixable: false,
      },
    ];
  },
};
