/**
 * Locker's users for tokens as a file of its configuration folder, so that its users can be rendered also while Locker is
 * down: `ID ENV #HASH`, a line each. Whoever changes the file can take rights away, or let a password of his own read
 * what is sealed; he cannot widen what a token's user may do, because that is not in it. Pure.
 */
import { isEnvironmentName } from './environment.js';
import type { TokenUser } from './users.js';
import { TOKEN_ID } from './users.js';

const HASH = /^#[0-9a-f]{64}$/;

export function renderTokenUsers(users: readonly TokenUser[]): string {
  return users
    .map(({ id, env, passwordHash }) => `${id} ${env} ${passwordHash}\n`)
    .sort()
    .join('');
}

/** Undefined for what is not wholly such a file: no comment, no blank line, no id twice, a line break at the end. */
export function parseTokenUsers(text: string): readonly TokenUser[] | undefined {
  if (text === '') return [];
  if (!text.endsWith('\n')) return undefined;
  const users: TokenUser[] = [];
  for (const line of text.slice(0, -1).split('\n')) {
    const [id = '', env = '', passwordHash = '', ...more] = line.split(' ');
    if (more.length > 0 || !TOKEN_ID.test(id) || !isEnvironmentName(env) || !HASH.test(passwordHash)) return undefined;
    if (users.some((user) => user.id === id)) return undefined;
    users.push({ id, env, passwordHash });
  }
  return users;
}
