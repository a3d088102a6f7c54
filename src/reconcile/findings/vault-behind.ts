import { heldSightings } from './last-copy.js';
import type { Rule } from './rule.js';

export const vaultBehind: Rule = {
  code: 'vault-behind',
  severity: 'error',
  means: 'The vault’s data are older than the mark that nexus3 recorded. The guard keeps it from starting.',
  repairs: 'never; `recover ENV --vault` rebuilds it',
  see: (facts) => heldSightings('vault-behind', facts),
};
