/**
 * What a scratch server is started from: it loads a copy, is asked by one administrator with a password made for this
 * once, and changes nothing. Pure.
 */
import { posix } from 'node:path';
import { directive, WITHOUT_TELEMETRY } from './redis-conf.js';
import type { Secret } from './secret.js';
import { quoteSh } from './start-script.js';
import { passwordHash } from './users.js';

/** The command, and the folder, as the server sees them; a ScratchPlacement of a runtime is one. */
export interface ScratchWhere {
  readonly engineCommand: readonly string[];
  readonly modulePath: string | undefined;
  readonly dir: string;
}

export interface ScratchOptions {
  /** Loads `appendonlydir`; otherwise `dump.rdb`. */
  readonly appendOnly: boolean;
  /** Names in its folder. */
  readonly usersAcl: string;
  readonly socket: string;
}

export function renderScratchConf({ modulePath, dir }: ScratchWhere, options: ScratchOptions): string {
  const lines = [
    '# Rendered by nexus3 for a server that is gone in a moment.',
    '# No port: it is reached through a socket in its folder only.',
    'port 0',
    directive('dir', dir),
    // Relative, and so within `dir`: the path of a socket may have 107 bytes only.
    directive('unixsocket', options.socket),
    'unixsocketperm 700',
    directive('aclfile', posix.join(dir, options.usersAcl)),
    'protected-mode no',
    'enable-debug-command no',
    'enable-module-command no',
    'enable-protected-configs no',
    'daemonize no',
    'dbfilename dump.rdb',
    'appenddirname appendonlydir',
    'appendfilename appendonly.aof',
    'rdbchecksum yes',
    '# What is not whole must not load.',
    'aof-load-truncated no',
    '# Nothing is written of its own accord.',
    `appendonly ${options.appendOnly ? 'yes' : 'no'}`,
    'appendfsync no',
    'auto-aof-rewrite-percentage 0',
    'aof-timestamp-enabled no',
    'aof-disable-auto-gc yes',
    'save ""',
    'maxmemory-policy noeviction',
  ];
  if (modulePath !== undefined) lines.push(`${directive('loadmodule', modulePath)} ${WITHOUT_TELEMETRY}`);
  return `${lines.join('\n')}\n`;
}

/**
 * One user, `admin`. `default` is off, and may do everything all the same: it is as `default` that a server replays its
 * append-only file, and of a transaction there (which is also what a script has written) it leaves out all, with nothing but a
 * line in its log, where that user may not do one of its commands (measured, Redis 8.2.3; multi.c, execCommand).
 */
export function renderScratchUsers(password: Secret): string {
  return [
    'user default off sanitize-payload ~* &* +@all\n',
    `user admin on sanitize-payload ${passwordHash(password)} ~* &* +@all\n`,
  ].join('');
}

/**
 * The configuration comes through standard input: Redis takes a path for a pattern when it holds a wildcard (see
 * start-script.ts).
 */
export function renderScratchStart({ engineCommand, dir }: ScratchWhere, redisConf: string): string {
  return `#!/bin/sh
# Rendered by nexus3.
set -u
umask 077
cd ${quoteSh(dir)} || exit 1
exec ${engineCommand.map(quoteSh).join(' ')} - < ${quoteSh(`./${redisConf}`)}
`;
}
