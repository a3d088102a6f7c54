/** Where an MCP server over HTTP has the token from that has to be shown: Locker, or a file. */
import { resolve } from 'node:path';
import type { Surroundings } from './config/locate.js';
import { Nexus3Error } from './errors.js';
import { readBearerFile } from './locker/bearer-file.js';
import type { BearerSource } from './mcp/http/bearer.js';
import { mcpToken, mcpTokenVersion, revealMcpToken } from './reconcile/mcp-token.js';
import type { World } from './reconcile/world.js';

export interface BearerSourceOptions {
  readonly surroundings: Surroundings;
  /** Path of a file, in place of Locker. */
  readonly bearerFile: string | undefined;
  /** A token of Locker opens one environment; the locker of this one it does not. */
  readonly hasRootKey: boolean;
  /** Anew for each look: the root key may have been changed, and Locker restarted. */
  readonly compose: () => Promise<World>;
}

/** In Locker, it is made now where there is none. @throws Nexus3Error USAGE, LOCKER_…, ROOT_KEY_…, TOKEN_… */
export async function bearerSource(options: BearerSourceOptions): Promise<BearerSource> {
  const { surroundings, bearerFile, hasRootKey, compose } = options;
  if (bearerFile !== undefined) {
    const path = resolve(surroundings.cwd, bearerFile);
    return {
      version: async () => readBearerFile(path).version,
      read: async () => readBearerFile(path).token,
    };
  }
  if (!hasRootKey) {
    throw new Nexus3Error('USAGE', 'With a token of Locker, what is shown over HTTP cannot be read from Locker.', {
      evidence: ['a token opens the passwords of one environment, and nothing else'],
      hint: 'Name a file that holds it, with --bearer-file FILE: (umask 077; openssl rand -base64 32 > FILE)',
    });
  }
  {
    await using world = await compose();
    await mcpToken(await world.locker.lockers(), world.clock.now(), { fresh: false });
  }
  return {
    version: async () => {
      await using world = await compose();
      return await mcpTokenVersion(await world.locker.lockers());
    },
    read: async () => {
      await using world = await compose();
      return await revealMcpToken(await world.locker.lockers());
    },
  };
}
