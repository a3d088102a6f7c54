import { isOwned, serverOf } from '../facts.js';
import type { Rule } from './rule.js';

export const replicaLoading: Rule = {
  code: 'replica-loading',
  severity: 'info',
  means: 'A full sync is under way: the operational takes all data from its vault.',
  repairs: 'waits',
  see: (facts) => {
    const { operational } = facts;
    const loading = operational?.view?.state === 'loading' || serverOf(operational)?.replica?.syncing === true;
    if (operational === undefined || !loading) return [];
    return [
      {
        instance: 'operational',
        message: 'the operational is taking all data from its vault',
        remedy: 'Wait until it is done',
        fixable: isOwned(operational),
      },
    ];
  },
  repair: (_role, facts) =>
    facts.operational === undefined ? [] : [{ kind: 'wait-for-link', on: facts.operational.id }],
};
