import { instancesIn, serverOf } from '../facts.js';
import type { Rule } from './rule.js';

export const moduleMissing: Rule = {
  code: 'module-missing',
  severity: 'error',
  means: 'The server runs without the graph module: no graph can be read or written.',
  repairs: 'no; run an engine that carries it',
  see: (facts) =>
    instancesIn(facts)
      .filter((instance) => instance.placement.modulePath !== undefined)
      .filter((instance) => serverOf(instance)?.engine.graphModule === 0)
      .map(({ id }) => ({
        instance: id.role,
        message: `the ${id.role} runs without the graph module`,
        evidence: { module: 'graph' },
        remedy: 'Use an image or engine that carries FalkorDB (see: nexus3 engine)',
        fixable: false,
      })),
};
