import type { ContainerInspectInfo } from 'dockerode';
import { describe, expect, it } from 'vitest';
import { showsSecret } from './secret-in-arguments.js';

interface Shown {
  readonly command?: readonly string[];
  readonly env?: readonly string[];
  readonly health?: readonly string[];
}

function shows({ command = [], env = [], health }: Shown): boolean {
  const [Path = '/bin/sh', ...Args] = command;
  const Config = { Env: env, Cmd: null, Entrypoint: null, Healthcheck: health && { Test: health } };
  return showsSecret({ Path, Args, Config } as unknown as ContainerInspectInfo);
}

describe('what docker inspect shows', () => {
  it.each<[string, Shown]>([
    ['an argument', { command: ['redis-server', '--requirepass', 'hunter2'] }],
    ['an argument among others', { command: ['redis-server', '--port', '6379', '--masterauth', 'x', '--save', ''] }],
    ['one word for a shell', { command: ['sh', '-c', 'redis-server --requirepass "hunter2"'] }],
    ['REDIS_ARGS', { env: ['PATH=/bin', 'REDIS_ARGS=--requirepass hunter2'] }],
    ['REDIS_ARGS with a user', { env: ['REDIS_ARGS=--user admin on >hunter2 ~* +@all'] }],
    ['a variable that is a password', { env: ['FALKORDB_PASSWORD=hunter2'] }],
    ['the one of redis-cli', { env: ['REDISCLI_AUTH=hunter2'] }],
    ['a health check', { health: ['CMD', 'redis-cli', '-a', 'hunter2', 'ping'] }],
    ['a health check for a shell', { health: ['CMD-SHELL', 'redis-cli --pass hunter2 ping || exit 1'] }],
  ])('holds a password in %s', (_, shown) => {
    expect(shows(shown)).toBe(true);
  });

  it.each<[string, Shown]>([
    ['nothing at all', {}],
    ['a configuration file', { command: ['redis-server', '/nexus3/redis.conf'] }],
    ['an empty password', { command: ['redis-server', '--requirepass', '', '--port', '1'] }],
    ['the name of a file', { env: ['REDIS_PASSWORD_FILE=/run/secrets/x'] }],
    ['a variable left empty', { env: ['REDIS_PASSWORD='] }],
    ['a health check without one', { health: ['CMD', 'redis-cli', 'ping'] }],
    ['a health check that takes it from a variable', { health: ['CMD-SHELL', 'redis-cli -a "$PASS" ping'] }],
    ['ordinary arguments', { env: ['FALKORDB_ARGS=MAX_QUEUED_QUERIES 25 TIMEOUT 1000'] }],
  ])('holds none in %s', (_, shown) => {
    expect(shows(shown)).toBe(false);
  });
});
