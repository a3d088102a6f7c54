/**
 * One real server from rendered files, in a folder of its own: for tests of what talks to servers. No runtime and no
 * last-copy guard: redis.conf is handed to the engine as it is.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnvironmentKind, Role } from '../../src/protocol/environment.js';
import { CONFIG_FILE } from '../../src/protocol/layout.js';
import type { Address } from '../../src/protocol/redis-conf.js';
import { renderRedisConf } from '../../src/protocol/redis-conf.js';
import { Secret } from '../../src/protocol/secret.js';
import type { Settings } from '../../src/protocol/settings.js';
import { DEFAULT_SETTINGS } from '../../src/protocol/settings.js';
import type { Credentials } from '../../src/protocol/users.js';
import { renderUsersAcl } from '../../src/protocol/users.js';
import { Connection } from '../../src/redis/connection.js';
import { testEngine } from './engine.js';

const START_TIMEOUT_MS = 20_000;
const START_POLL_MS = 20;
const STOP_TIMEOUT_MS = 10_000;
const LOG_LINES_SHOWN = 20;

/** Passwords that name their purpose, so that a test that confuses two of them fails readably. */
export const TEST_CREDENTIALS: Credentials = {
  default: new Secret('password-of-default'),
  admin: new Secret('password-of-admin'),
  replicator: new Secret('password-of-replicator'),
  backup: new Secret('password-of-backup'),
  'operational-admin': new Secret('password-of-operational-admin'),
};

export interface ServerOptions {
  readonly role: Role;
  readonly kind?: EnvironmentKind;
  /** An operational's vault. */
  readonly vault?: Address;
  readonly credentials?: Credentials;
  readonly settings?: Settings;
  /** Lines added to redis.conf. */
  readonly extraLines?: readonly string[];
  /** As for benchmarks. */
  readonly withoutModule?: boolean;
  /** In place of the rendered users. */
  readonly usersAcl?: string;
}

export interface TestServer extends AsyncDisposable {
  readonly address: Address;
  readonly configDir: string;
  readonly dataDir: string;
  readonly pid: number;
  log(): Promise<string>;
  /** Ends it and starts it again on the same files. */
  restart(): Promise<void>;
  /** Ends it and takes its folder away. */
  [Symbol.asyncDispose](): Promise<void>;
}

export async function startServer(options: ServerOptions): Promise<TestServer> {
  const engine = await testEngine();
  const root = await mkdtemp(join(tmpdir(), 'nexus3-server-'));
  const [configDir, dataDir] = [join(root, 'config'), join(root, 'data')];
  await Promise.all([mkdir(configDir), mkdir(dataDir)]);
  const address: Address = { host: '127.0.0.1', port: await freePort() };
  const credentials = options.credentials ?? TEST_CREDENTIALS;
  const placement = {
    engineCommand: engine.command,
    modulePath: options.withoutModule === true ? undefined : engine.modulePath,
    configDir,
    dataDir,
    port: address.port,
    bind: [address.host],
    vaultAddress: options.vault ?? { host: '127.0.0.1', port: 1 },
  };
  const settings = options.settings ?? DEFAULT_SETTINGS;
  const conf = renderRedisConf(options.role, placement, settings, credentials.replicator);
  const confPath = join(configDir, CONFIG_FILE.redisConf);
  const withoutGraphs = placement.modulePath === undefined;
  const rendered = renderUsersAcl(options.role, options.kind ?? 'standard', credentials, { withoutGraphs });
  const usersAcl = options.usersAcl ?? rendered;
  await writeFile(confPath, [conf, ...(options.extraLines ?? [])].join('\n'), { mode: 0o600 });
  await writeFile(join(configDir, CONFIG_FILE.usersAcl), usersAcl, { mode: 0o600 });
  const logPath = join(root, 'log');
  const start = (): Promise<ChildProcess> => startProcess([...engine.command, confPath], address, logPath);
  let child = await start().catch(async (error: unknown) => {
    await rm(root, { recursive: true, force: true });
    throw error;
  });
  return {
    address,
    configDir,
    dataDir,
    get pid() {
      return child.pid ?? 0;
    },
    log: () => readFile(logPath, 'utf8'),
    async restart() {
      await stopProcess(child);
      child = await start();
    },
    async [Symbol.asyncDispose]() {
      await stopProcess(child);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** A port that nothing listens on at this moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function startProcess(command: readonly string[], address: Address, logPath: string): Promise<ChildProcess> {
  const log = await open(logPath, 'a');
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', log.fd, log.fd] });
  await log.close();
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (child.exitCode === null && Date.now() < deadline) {
    if (await answers(address)) return child;
    await sleep(START_POLL_MS);
  }
  await stopProcess(child);
  const lines = (await readFile(logPath, 'utf8')).trimEnd().split('\n').slice(-LOG_LINES_SHOWN);
  throw new Error(`the server did not start:\n${lines.join('\n')}`);
}

async function answers(address: Address): Promise<boolean> {
  try {
    using connection = await Connection.open(address);
    await connection.send(['PING']);
    return true;
  } catch {
    return false;
  }
}

async function stopProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
