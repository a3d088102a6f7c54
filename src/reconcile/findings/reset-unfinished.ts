import type { Rule } from './rule.js';

export const resetUnfinished: Rule = {
  code: 'reset-unfinished',
  severity: 'error',
  means:
    'A reset of Locker was cut off. Until it is finished, environments may refuse the passwords that Locker holds.',
  repairs: 'no; `nexus3 locker reset` goes on where it was cut off',
  see: ({ resetting }) =>
    resetting !== true
      ? []
      : [
          {
            instance: 'vault',
            message: 'a reset of Locker was cut off: the servers may not have the passwords that it holds',
            remedy: 'Finish it, before anything else: nexus3 locker reset',
            fixable: false,
          },
        ],
};
