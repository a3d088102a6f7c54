/** A server on a data folder of the test's own, which keeps its append-only file and its history; no users, no guard. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, open, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { renderBirth } from '../../src/protocol/guard.js';
import { BIRTH_FILE } from '../../src/protocol/layout.js';
import { Connection } from '../../src/redis/connection.js';
import { isList, type Reply, ReplyError, textOf } from '../../src/redis/replies.js';
import { testEngine } from './engine.js';
import { freePort } from './redis-server.js';
import { run as runProgram } from './run.js';

const START_TIMEOUT_MS = 20_000;
const POLL_MS = 10;
const REPLY_TIMEOUT_MS = 30_000;
/** Of a second; the rest is left to a slow machine. */
const STEADY_MICROS_MAX = 700_000;

export interface AofServer extends AsyncDisposable {
  readonly dataDir: string;
  send(...command: readonly string[]): Promise<Reply>;
  /** All in one round trip. Error replies are thrown. */
  pipeline(commands: readonly (readonly string[])[]): Promise<readonly Reply[]>;
  text(...command: readonly string[]): Promise<string>;
  /** BGREWRITEAOF, until it is done. */
  rewrite(): Promise<void>;
  kill(): Promise<void>;
  restart(lines?: readonly string[]): Promise<void>;
}

export interface AofServerOptions {
  /** Taken over with what is in it; a new one that is removed in the end by default. */
  readonly dataDir?: string;
  readonly lines?: readonly string[];
  readonly module?: boolean;
  /** Of its environment, besides that of the test. */
  readonly variables?: Readonly<Record<string, string>>;
}

export const INCARNATION = '00112233445566778899aabbccddeeff';

export async function startAofServer(options: AofServerOptions = {}): Promise<AofServer> {
  const engine = await testEngine();
  const root = await mkdtemp(join(tmpdir(), 'nexus3-aof-'));
  const dataDir = options.dataDir ?? join(root, 'data');
  await mkdir(dataDir, { recursive: true });
  if (options.dataDir === undefined) {
    await writeFile(join(dataDir, BIRTH_FILE), renderBirth({ state: 'born', incarnation: INCARNATION }));
  }
  const port = await freePort();
  const logPath = join(root, 'log');
  let running: { child: ChildProcess; connection: Connection } | undefined;
  const start = async (lines: readonly string[]): Promise<void> => {
    const conf = [
      `port ${String(port)}`,
      'bind 127.0.0.1',
      `dir ${dataDir}`,
      'save ""',
      'appendonly yes',
      'aof-timestamp-enabled yes',
      'aof-disable-auto-gc yes',
      ...(options.module === true ? [`loadmodule ${engine.modulePath ?? ''}`] : []),
      ...lines,
    ];
    await writeFile(join(root, 'redis.conf'), `${conf.join('\n')}\n`);
    running = await run([...engine.command, join(root, 'redis.conf')], port, { logPath, variables: options.variables });
  };
  const stop = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (running === undefined) return;
    const { child, connection } = running;
    running = undefined;
    connection[Symbol.dispose]();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, 'exit');
  };
  const server: AofServer = {
    dataDir,
    send: async (...command) => (await server.pipeline([command]))[0] ?? null,
    pipeline: async (commands) => {
      if (running === undefined) throw new Error('it does not run');
      const replies = await running.connection.pipeline(commands, { timeoutMs: REPLY_TIMEOUT_MS });
      const wrong = replies.find((reply) => reply instanceof ReplyError);
      if (wrong instanceof ReplyError) throw new Error(wrong.text);
      return replies;
    },
    text: async (...command) => textOf(await server.send(...command)) ?? '',
    rewrite: async () => {
      await server.send('BGREWRITEAOF');
      while (/aof_rewrite_(in_progress|scheduled):1/.test(await server.text('INFO', 'persistence')))
        await sleep(POLL_MS);
    },
    kill: () => stop('SIGKILL'),
    restart: async (lines = options.lines ?? []) => {
      await stop('SIGTERM');
      await start(lines);
    },
    [Symbol.asyncDispose]: async () => {
      await stop('SIGKILL');
      await rm(root, { recursive: true, force: true });
    },
  };
  await start(options.lines ?? []);
  return server;
}

async function run(
  command: readonly string[],
  port: number,
  { logPath, variables }: { readonly logPath: string; readonly variables: AofServerOptions['variables'] },
): Promise<{ child: ChildProcess; connection: Connection }> {
  const log = await open(logPath, 'a');
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', log.fd, log.fd], env: { ...process.env, ...variables } });
  await log.close();
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline && child.exitCode === null;) {
    const connection = await Connection.open({ host: '127.0.0.1', port }).catch(() => undefined);
    const ping = await connection?.send(['PING']).catch(() => undefined);
    if (connection !== undefined && ping === 'PONG') return { child, connection };
    connection?.[Symbol.dispose]();
    await sleep(POLL_MS);
  }
  child.kill('SIGKILL');
  throw new Error(`the server did not start:\n${(await readFile(logPath, 'utf8')).slice(-4_000)}`);
}

/** The strings and lists of database 0, lists as their elements. */
export async function contentOf(server: AofServer): Promise<Readonly<Record<string, string>>> {
  const keys = await server.send('KEYS', '*');
  if (!isList(keys)) throw new Error('no list of keys');
  const content: Record<string, string> = {};
  for (const key of keys.map((one) => textOf(one) ?? '').sort()) {
    const type = await server.text('TYPE', key);
    if (type !== 'string' && type !== 'list') continue;
    const value = type === 'list' ? await server.send('LRANGE', key, '0', '-1') : await server.send('GET', key);
    content[key] = isList(value) ? value.map(textOf).join(',') : (textOf(value) ?? '');
  }
  return content;
}

/**
 * `redis-check-aof --truncate-to-timestamp`, as the engine brings it along: it changes the last file that the manifest
 * names. What it says; rejects where it refuses.
 */
export async function truncateToTimestamp(manifest: string, second: number): Promise<string> {
  const { command } = await testEngine();
  const folder = await mkdtemp(join(tmpdir(), 'nexus3-check-aof-'));
  try {
    const tool = join(folder, 'redis-check-aof');
    await symlink(command.at(-1) ?? '', tool);
    const words = [...command.slice(0, -1), tool];
    return await runProgram(
      words[0] ?? tool,
      [...words.slice(1), '--truncate-to-timestamp', String(second), manifest],
      {
        timeoutMs: REPLY_TIMEOUT_MS,
      },
    );
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** A second of the server's clock in which something may be written that will surely be dated so. */
export async function steadySecond(server: AofServer): Promise<number> {
  for (;;) {
    const reply = await server.send('TIME');
    const numbers = isList(reply) ? reply.map((one) => Number(textOf(one))) : [];
    const [seconds, micros] = [numbers[0] ?? 0, numbers[1] ?? 0];
    if (micros < STEADY_MICROS_MAX) return seconds;
    await sleep((1_000_000 - micros) / 1_000 + 1);
  }
}

export async function secondAfter(server: AofServer, second: number): Promise<number> {
  for (;;) {
    const now = await steadySecond(server);
    if (now > second) return now;
    await sleep(POLL_MS);
  }
}
