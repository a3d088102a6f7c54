import { isOwned, lagBytes, serverOf } from '../facts.js';
import type { Rule } from './rule.js';

export const replicaLag: Rule = {
  code: 'replica-lag',
  severity: 'error',
  means: 'The operational is behind its vault by more than the bound (`lagBytesMax`).',
  repairs: 'waits',
  confirm: true,
  see: (facts) => {
    const lag = lagBytes(facts);
    const bound = facts.environment.settings.lagBytesMax;
    const replica = serverOf(facts.operational)?.replica;
    if (lag === undefined || lag <= bound || replica?.link !== 'up' || facts.operational === undefined) return [];
    return [
      {
        instance: 'operational',
        message: `the operational is ${String(lag)} bytes behind its vault`,
        evidence: { lagBytes: lag, lagBytesMax: bound },
        remedy: 'Wait, or find what slows it: nexus3 logs, and the load on this host',
        fixable: isOwned(facts.operational),
      },
    ];
  },
  repair: (_role, facts) =>
    facts.operational === undefined ? [] : [{ kind: 'wait-for-link', on: facts.operational.id }],
};
