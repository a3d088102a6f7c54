import type { Rule } from './rule.js';

export const passwordOld: Rule = {
  code: 'password-old',
  severity: 'warning',
  means:
    'A password is older than nexus3.yaml allows (`rotation: { maxAgeDays: N }`; off by default). Locker’s own have no age.',
  repairs: 'no; `rotate ENV` replaces it',
  see: ({ environment, oldPasswords }) => {
    const [oldest] = oldPasswords;
    if (oldest === undefined) return [];
    const names = oldPasswords.map(({ name }) => name).join(', ');
    return [
      {
        instance: 'vault',
        message: `the password of ${names} is older than it should be: ${String(oldest.days)} days`,
        evidence: { names, days: oldest.days },
        remedy: `nexus3 rotate ${environment.name}`,
        fixable: false,
      },
    ];
  },
};
