import type { Rule } from './rule.js';

export const recoveryKitMissing: Rule = {
  code: 'recovery-kit-missing',
  severity: 'info',
  means:
    'There is no recovery kit of Locker for the present root key. With the key lost and no kit, what Locker holds is lost.',
  repairs: 'no; `nexus3 locker export --recovery FILE` makes one',
  see: ({ locker }) =>
    locker?.kit === undefined || locker.kit === 'current'
      ? []
      : [
          {
            instance: 'vault',
            message:
              locker.kit === 'missing'
                ? 'no recovery kit was made: with the root key lost, all passwords would be lost'
                : 'the recovery kit was made for an earlier root key',
            evidence: { kit: locker.kit },
            remedy: 'Make one, and keep it elsewhere: nexus3 locker export --recovery FILE',
            fixable: false,
          },
        ],
};
