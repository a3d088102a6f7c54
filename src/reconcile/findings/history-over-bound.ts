import type { Rule } from './rule.js';

export const historyOverBound: Rule = {
  code: 'history-over-bound',
  severity: 'warning',
  means:
    'The history in the vault’s folder is larger than `backup: { historyBytesMax: … }` allows: neither `backup create` nor `backup prune` has run since it grew, or nothing can be archived.',
  repairs: 'no; `nexus3 backup create ENV` archives it, and then removes the oldest of it',
  see: ({ environment, backup }) => {
    const history = backup?.history;
    if (history === undefined || history.bytes <= history.bytesMax) return [];
    return [
      {
        instance: 'vault',
        message: 'its history on its disk is larger than historyBytesMax',
        evidence: { bytes: history.bytes, historyBytesMax: history.bytesMax },
        remedy: `nexus3 backup create ${environment.name}`,
        fixable: false,
      },
    ];
  },
};
