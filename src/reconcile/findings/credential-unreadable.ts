import type { Rule } from './rule.js';

export const credentialUnreadable: Rule = {
  code: 'credential-unreadable',
  severity: 'error',
  means: 'What Locker holds for an environment does not open: somebody changed it, or moved it.',
  repairs: 'no; the error that it carries names the way out',
  see: ({ environment, unreadable }) =>
    unreadable === undefined
      ? []
      : [
          {
            instance: 'vault',
            message: `Locker’s credentials of ${environment.name} cannot be used, so less could be seen: ${unreadable.message}`,
            evidence: { code: unreadable.code, found: unreadable.evidence.join('; ') },
            remedy: unreadable.hint,
            fixable: false,
          },
        ],
};
