import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TEST_CREDENTIALS } from '../../test/support/redis-server.js';
import { parseTokenUsers, renderTokenUsers } from './token-users.js';
import { parseAclUser, renderUsersAcl, type TokenUser } from './users.js';

const user = fc.record({
  id: fc.stringMatching(/^t_[0-9a-f]{8}$/),
  env: fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/),
  passwordHash: fc.stringMatching(/^#[0-9a-f]{64}$/),
});
const users = fc.uniqueArray(user, { selector: ({ id }) => id, maxLength: 5 });
const GOOD = `t_1a2b3c4d track #${'0'.repeat(64)}\n`;

const byId = (some: readonly TokenUser[] | undefined): readonly TokenUser[] =>
  [...(some ?? [])].sort((a, b) => a.id.localeCompare(b.id));

describe('the users for tokens as a file', () => {
  it('come back as they were', () => {
    fc.assert(
      fc.property(users, (some) => {
        expect(byId(parseTokenUsers(renderTokenUsers(some)))).toEqual(byId(some));
      }),
    );
  });

  it.each([
    ['a comment', `# mine\n${GOOD}`],
    ['a blank line', `${GOOD}\n`],
    ['an id twice', GOOD + GOOD],
    ['no line break at the end', GOOD.trimEnd()],
    ['a further word', GOOD.replace('\n', ' +@all\n')],
    ['rights in place of a hash', 't_1a2b3c4d track nopass\n'],
    ['another user', GOOD.replace('t_1a2b3c4d', 'admin')],
    ['a pattern as environment', GOOD.replace('track', '*')],
    ['a carriage return', GOOD.replace('\n', '\r\n')],
    ['a tab', GOOD.replace(' ', '\t')],
  ])('%s is not taken', (_, text) => {
    expect(parseTokenUsers(text)).toBeUndefined();
  });

  it('whatever stands in the file, no user may do more than a token’s', () => {
    const line = fc.oneof(fc.constant(GOOD), fc.string(), fc.stringMatching(/^[t_0-9a-f #~*+@a-z\n]{0,80}$/));
    fc.assert(
      fc.property(fc.array(line, { maxLength: 3 }), (lines) => {
        const tokenUsers = parseTokenUsers(lines.join('')) ?? [];
        const text = renderUsersAcl('vault', 'secure', { ...TEST_CREDENTIALS, tokenUsers });
        const extra = text.trimEnd().split('\n').slice(3);
        for (const one of extra.map(parseAclUser)) {
          expect(one?.name).toMatch(/^t_/);
          expect(one?.rules.slice(-4)).toEqual(['-@all', '+ping', '+hgetall', '+xadd']);
        }
      }),
    );
  });
});
