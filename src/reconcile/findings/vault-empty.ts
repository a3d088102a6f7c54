import { heldSightings } from './last-copy.js';
import type { Rule } from './rule.js';

export const vaultEmpty: Rule = {
  code: 'vault-empty',
  severity: 'error',
  means:
    'The data that this vault once had are gone. The guard keeps it from starting, because its operational would be emptied at once.',
  repairs: 'never; `recover ENV --vault` rebuilds it',
  see: (facts) => heldSightings('vault-empty', facts),
};
