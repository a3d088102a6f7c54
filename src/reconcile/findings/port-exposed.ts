import { instancesIn } from '../facts.js';
import type { Rule } from './rule.js';

export const portExposed: Rule = {
  code: 'port-exposed',
  severity: 'warning',
  means: 'Published on an address beyond loopback: other hosts may connect. An operational asks for no password.',
  repairs: 'no; `bind` in nexus3.yaml decides',
  see: (facts) =>
    instancesIn(facts).flatMap(({ id, runtime }) =>
      runtime?.exposedOn === undefined
        ? []
        : [
            {
              instance: id.role,
              message: `the ${id.role} is published on ${runtime.exposedOn}, beyond this host`,
              evidence: { address: runtime.exposedOn },
              remedy: 'Set bind: 127.0.0.1 in nexus3.yaml, or keep the port behind a firewall',
              fixable: false,
            },
          ],
    ),
};
