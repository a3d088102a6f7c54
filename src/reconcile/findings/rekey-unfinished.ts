import type { Rule } from './rule.js';

export const rekeyUnfinished: Rule = {
  code: 'rekey-unfinished',
  severity: 'warning',
  means: 'A change of Locker’s root key was cut off. Until it is finished, the old and the new one open Locker.',
  repairs: 'no; `nexus3 locker rekey` goes on where it was cut off',
  see: ({ locker }) =>
    locker?.rekeying !== true
      ? []
      : [
          {
            instance: 'vault',
            message: 'a change of the root key was cut off: the old and the new one both open Locker',
            remedy: 'Finish it: nexus3 locker rekey',
            fixable: false,
          },
        ],
};
