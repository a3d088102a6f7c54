import { describe, expect, it } from 'vitest';
import { renderUsersAcl } from '../protocol/users.js';
import { deriveOwnCredentials } from './derive.js';
import { RootKey } from './root-key.js';
import { fitOf, fits } from './root-key-fit.js';

const rootKey = RootKey.generate();
const rendered = (key: RootKey, generation?: number): string =>
  renderUsersAcl('vault', 'secure', deriveOwnCredentials(key, generation));

describe('a root key', () => {
  it('fits the users that were rendered from it, and no others', () => {
    expect(fits(rootKey, rendered(rootKey))).toBe(true);
    expect(fits(rootKey, rendered(RootKey.generate()))).toBe(false);
  });

  it('is not judged by what says nothing of passwords', () => {
    for (const nothing of [undefined, '', 'user default on nopass ~* +@all\n', 'hello']) {
      expect(fits(rootKey, nothing)).toBeUndefined();
    }
  });

  it('fits also where somebody has edited a user, or while both an old and a new password are accepted', () => {
    const [admin = '', ...others] = rendered(rootKey).split('\n');
    const edited = [admin.replace(/#[0-9a-f]{64}/, `#${'0'.repeat(64)}`), ...others].join('\n');
    expect(fits(rootKey, edited)).toBe(true);
    expect(fits(rootKey, rendered(RootKey.generate()) + rendered(rootKey))).toBe(true);
  });

  it.each([
    ['an older copy of the file', 1, 7],
    ['a newer one', 7, 6],
  ])('fits in %s', (_, own, inForce) => {
    expect(fitOf(rootKey.withGenerations(own), rendered(rootKey, inForce))).toBe('other-generation');
    expect(fits(rootKey.withGenerations(own), rendered(rootKey, inForce))).toBe(true);
    expect(fits(rootKey.withGenerations(own), rendered(RootKey.generate(), inForce))).toBe(false);
  });
});
