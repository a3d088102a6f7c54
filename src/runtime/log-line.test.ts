import { describe, expect, it } from 'vitest';
import { withoutSecrets } from './log-line.js';

describe('a log line that may be shown', () => {
  it.each([
    [">>> 'masterauth hunter2hunter2'", ">>> 'masterauth [secret]"],
    [`>>> 'masterauth "hunter \\" 2" or more'`, ">>> 'masterauth [secret]"],
    ['requirepass=hunter2 and more', 'requirepass=[secret]'],
    ["users.acl:1: 'user admin on >hunter2 ~* +@all'", "users.acl:1: 'user admin on [secret] ~* +@all'"],
    ['user admin on #0123abcd ~*', 'user admin on [secret] ~*'],
  ])('%s', (line, shown) => {
    expect(withoutSecrets(line)).toBe(shown);
  });

  it('leaves other lines as they are', () => {
    const line = '4711:M 08 Jan 2026 12:00:00.000 * Ready to accept connections tcp';
    expect(withoutSecrets(line)).toBe(line);
  });
});
