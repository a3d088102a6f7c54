/** Locker's users for tokens, as its server is started with them. */
import { readIfThere } from '../../files.js';
import { parseTokenUsers } from '../../protocol/token-users.js';
import type { TokenUser } from '../../protocol/users.js';

/**
 * None where the file is gone or cannot be read: then tokens are refused until `locker grants --repair` writes it again
 * from what Locker knows. Nothing that stands in it gives anybody more than a token's user may do.
 */
export async function readTokenUsers(path: string | undefined): Promise<readonly TokenUser[]> {
  const text = path === undefined ? undefined : await readIfThere(path);
  return (text === undefined ? undefined : parseTokenUsers(text)) ?? [];
}
