/** quoteConf against the real server: values that a careless renderer would break the file with. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { freePort } from '../../test/support/redis-server.js';
import { Connection } from '../redis/connection.js';
import type { Engine } from '../runtime/process/engine/engine.js';
import { CONFIG_FILE } from './layout.js';
import { renderRedisConf } from './redis-conf.js';
import { Secret } from './secret.js';
import { DEFAULT_SETTINGS } from './settings.js';

const START_TIMEOUT_MS = 10_000;

let engine: Engine;
let root: string;
beforeAll(async () => {
  engine = await testEngine();
  root = mkdtempSync(join(tmpdir(), 'nexus3-conf-'));
}, ENGINE_TIMEOUT_MS);
afterAll(() => rmSync(root, { recursive: true }));

describe('redis.conf as the server reads it', () => {
  it.each([
    ['spaces and quotes', `a b "c" 'd'`],
    ['what a shell would run', '$(id) `id` ; #!&|<>{y}~'],
    ['backslashes', String.raw`\n \x41 \\ \"`],
    ['line ends and tabs', 'one\ntwo\r\n\tthree'],
    ['letters beyond ASCII', 'Übung 数据 😀'],
  ])('keeps %s', async (_, odd) => {
    const [configDir, dataDir] = [join(root, `config ${odd}`), join(root, `data ${odd}`)];
    for (const folder of [configDir, dataDir]) mkdirSync(folder);
    const address = { host: '127.0.0.1', port: await freePort() };
    const placement = {
      engineCommand: engine.command,
      modulePath: undefined,
      configDir,
      dataDir,
      port: address.port,
      bind: [address.host],
      vaultAddress: { host: '127.0.0.1', port: 1 },
    };
    const conf = join(configDir, CONFIG_FILE.redisConf);
    writeFileSync(conf, renderRedisConf('operational', placement, DEFAULT_SETTINGS, new Secret(odd)));
    writeFileSync(join(configDir, CONFIG_FILE.usersAcl), 'user default on nopass ~* &* +@all\n');
    const [program = '', ...args] = engine.command;
    const server = spawn(program, [...args, conf], { stdio: 'ignore' });
    const ended = once(server, 'exit');
    try {
      using connection = await connect(address);
      expect(await configured(connection, 'dir')).toBe(dataDir);
      expect(await configured(connection, 'masterauth')).toBe(odd);
    } finally {
      server.kill('SIGKILL');
      await ended;
    }
  });
});

async function connect(address: { readonly host: string; readonly port: number }): Promise<Connection> {
  const until = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    try {
      return await Connection.open(address);
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(20);
    }
  }
}

async function configured(connection: Connection, name: string): Promise<string> {
  const reply = await connection.send(['CONFIG', 'GET', name]);
  return Array.isArray(reply) ? String(reply[1]) : JSON.stringify(reply);
}
