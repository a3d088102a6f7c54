/** Where everything of an environment lies on this host. Pure path arithmetic. */
import { join } from 'node:path';
import type { InstanceId, Role } from './environment.js';

export interface EnvironmentLayout {
  /** `{dataRoot}/{env}` */
  readonly root: string;
  /** Rendered configuration, apart from the data, so that wiping an operational's data leaves it able to refill. */
  readonly config: Readonly<Record<Role, string>>;
  readonly data: Readonly<Record<Role, string>>;
  /** What is moved out of the way and not yet discarded. */
  readonly aside: string;
  /** Of a scratch server, while there is one. */
  readonly scratch: string;
}

export function layoutOf(dataRoot: string, env: string): EnvironmentLayout {
  const root = join(dataRoot, env);
  return {
    root,
    config: { vault: join(root, 'config', 'vault'), operational: join(root, 'config', 'operational') },
    data: { vault: join(root, 'vault'), operational: join(root, 'operational') },
    aside: join(root, 'aside'),
    scratch: join(root, 'scratch'),
  };
}

/** `nexus3-track-vault` */
export function containerName(prefix: string, id: InstanceId): string {
  return `${prefix}-${id.env}-${id.role}`;
}

/** The files of `config/{role}/`. Names are contracts. */
export const CONFIG_FILE = {
  redisConf: 'redis.conf',
  usersAcl: 'users.acl',
  start: 'start',
  health: 'health',
  /** The last-copy guard's high-water mark; only a vault has one. */
  mark: 'mark',
  /** The engine that wrote the data folder. */
  engine: 'engine',
  /** Only Locker's vault has one: its users for tokens, a line each (src/protocol/token-users.ts). */
  tokens: 'tokens',
} as const;

/** In a vault's data folder: which vault these data belong to, and whether it may still start empty. */
export const BIRTH_FILE = 'nexus3.birth';
/**
 * Beside it where the data were put there, by a restore or a rebuild: when this vault began to serve, one line of ISO 8601.
 * Its first snapshot is older than that.
 */
export const SINCE_FILE = 'nexus3.since';
