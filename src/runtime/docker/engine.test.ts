/** Finding the engine, and engines that do not answer. Real sockets; no Docker needed. */
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.js';
import type { Nexus3Error } from '../../errors.js';
import type { InstanceSpec } from '../runtime.js';
import { DockerRuntime } from './docker-runtime.js';
import { findEngineSocket } from './find-engine.js';
import { loadDockerode } from './load-dockerode.js';
import type { RequestLimits } from './limits.js';
import { dockerHost } from './strategies/docker-host.js';
import { rootlessSocket } from './strategies/rootless-socket.js';

const QUICK: RequestLimits = {
  connectMs: 300,
  helloMs: 300,
  readMs: 300,
  changeMs: 300,
  startMs: 300,
  stopMs: 300,
  pullStallMs: 300,
  pullMs: 300,
};
/** A bound is a bound: nothing may take much longer. */
const SOON_MS = 1_500;
const LOOPBACK_CLOSED = 'tcp://127.0.0.1:2375';

let folder: string;
const open: Socket[] = [];
let server: Server | undefined;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-sockets-'));
});
afterEach(async () => {
  for (const socket of open.splice(0)) socket.destroy();
  server?.close();
  server = undefined;
  await rm(folder, { recursive: true });
});

/** An engine that says exactly this to each request. */
async function engineThatSays(answer: (path: string, socket: Socket) => void): Promise<string> {
  const path = join(folder, 'docker.sock');
  server = createServer((socket) => {
    open.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk: Buffer) => {
      answer(chunk.toString().split(' ')[1] ?? '', socket);
    });
  }).listen(path);
  await once(server, 'listening');
  return path;
}

const runtimeAt = (socketPath: string): DockerRuntime =>
  new DockerRuntime({ network: 'n', environment: { DOCKER_HOST: `unix://${socketPath}` }, limits: QUICK });

async function timed(work: Promise<unknown>): Promise<Nexus3Error> {
  const beganMs = Date.now();
  const failure = await failureOf(work);
  expect(Date.now() - beganMs).toBeLessThan(SOON_MS);
  return failure;
}

const http = (body: string, status = '200 OK'): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${String(body.length)}\r\n\r\n${body}`;
const VERSION = http('{"Version":"20.10.24","Components":[]}');

describe('an engine that does not answer', () => {
  it('is given up in bounded time when it never says a word', async () => {
    const failure = await timed(runtimeAt(await engineThatSays(() => undefined)).ready());
    expect(failure).toMatchObject({ code: 'DOCKER_UNREACHABLE', exitCode: 3 });
    expect(failure.evidence.join()).toContain('within 0.3 s');
    expect(failure.hint).toContain('docker info');
  });

  it('is given up when its answer stops half-way', async () => {
    const path = await engineThatSays((_, socket) => socket.write(VERSION.slice(0, -5)));
    expect((await timed(runtimeAt(path).ready())).code).toBe('DOCKER_UNREACHABLE');
  });

  it('is given up when it drips an answer without end', async () => {
    const path = await engineThatSays((_, socket) => {
      socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n');
      const drip = setInterval(() => socket.write('1\r\nx\r\n'), 20);
      socket.on('close', () => {
        clearInterval(drip);
      });
    });
    expect((await timed(runtimeAt(path).ready())).code).toBe('DOCKER_UNREACHABLE');
  });

  it.each([
    ['hangs up', (socket: Socket): unknown => socket.destroy()],
    ['speaks another protocol', (socket: Socket): unknown => socket.end('-ERR unknown command\r\n')],
  ])('is one clear error when it %s', async (_, answer) => {
    const path = await engineThatSays((__, socket) => answer(socket));
    expect((await timed(runtimeAt(path).ready())).code).toBe('DOCKER_UNREACHABLE');
  });

  it('is given up in each later request as well', async () => {
    const path = await engineThatSays((request, socket) => {
      if (request.startsWith('/version')) socket.write(VERSION);
    });
    const runtime = runtimeAt(path);
    await runtime.ready();
    const spec: InstanceSpec = {
      id: { env: 'e', role: 'vault' },
      name: 'n3-e-vault',
      port: 6640,
      bind: '127.0.0.1',
      dataDir: folder,
      configDir: folder,
      image: 'i',
      network: 'n',
    };
    for (const work of ['create', 'start', 'stop', 'remove', 'connectNetwork', 'ensureNetwork'] as const) {
      expect((await timed(runtime[work](spec))).code).toBe('DOCKER_UNREACHABLE');
    }
    expect((await timed(runtime.observe([spec]))).code).toBe('DOCKER_UNREACHABLE');
    expect((await timed(runtime.logs(spec, 5))).code).toBe('DOCKER_UNREACHABLE');
    const { signal } = new AbortController();
    expect((await timed(runtime.followLogs(spec, () => undefined, signal))).code).toBe('DOCKER_UNREACHABLE');
  });

  it('passes on what a refusing engine says', async () => {
    const path = await engineThatSays((request, socket) => {
      const refusal = http('{"message":"no space left on device"}', '500 Internal Server Error');
      socket.write(request.startsWith('/version') ? VERSION : refusal);
    });
    const failure = await timed(runtimeAt(path).ensureNetwork());
    expect(failure.code).toBe('DOCKER_FAILED');
    expect(failure.evidence).toEqual(['no space left on device (HTTP 500)']);
  });

  it('is looked for again after a failure', async () => {
    const runtime = runtimeAt(join(folder, 'docker.sock'));
    expect((await timed(runtime.ready())).code).toBe('DOCKER_UNREACHABLE');
    await engineThatSays((_, socket) => socket.write(VERSION));
    await runtime.ready();
  });
});

/** Root may open every socket. */
async function asNobody<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.('nobody');
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

describe('finding the engine', () => {
  const find = (environment: NodeJS.ProcessEnv): Promise<string> =>
    findEngineSocket(environment, QUICK.connectMs, [dockerHost, rootlessSocket]);

  it('takes the socket that DOCKER_HOST names', async () => {
    const path = await engineThatSays(() => undefined);
    expect(await find({ DOCKER_HOST: `unix://${path}` })).toBe(path);
  });

  it.each([[LOOPBACK_CLOSED], ['ssh://me:hunter2@far'], ['unix://'], ['/var/run/docker.sock']])(
    'refuses DOCKER_HOST=%s, because folders are of this host, and tries no other',
    async (host) => {
      const path = await engineThatSays(() => undefined);
      const failure = await timed(find({ DOCKER_HOST: host, XDG_RUNTIME_DIR: join(path, '..') }));
      expect(failure.code).toBe('DOCKER_UNREACHABLE');
      expect(failure.message).toContain('$DOCKER_HOST');
      expect(failure.hint).toContain('unix://');
      expect(JSON.stringify(failure)).not.toContain('hunter2');
    },
  );

  it('tries no other when the socket of DOCKER_HOST is not there', async () => {
    const path = await engineThatSays(() => undefined);
    const host = `unix://${join(folder, 'none')}`;
    expect((await timed(find({ DOCKER_HOST: host, XDG_RUNTIME_DIR: join(path, '..') }))).hint).toContain('DOCKER_HOST');
  });

  it('takes the rootless socket when nothing else is there', async () => {
    const path = await engineThatSays(() => undefined);
    expect(await find({ XDG_RUNTIME_DIR: folder })).toBe(path);
  });

  it('says of each way why there is none', async () => {
    const failure = await timed(find({ XDG_RUNTIME_DIR: folder }));
    expect(failure.message).toContain('no Docker engine');
    expect(failure.evidence).toEqual([
      '$DOCKER_HOST: not set',
      `the rootless socket: there is no ${join(folder, 'docker.sock')}`,
    ]);
    expect(failure.hint).toContain('--runtime process');
  });

  it('says that a file is no socket, and that nothing listens on a socket', async () => {
    await writeFile(join(folder, 'docker.sock'), '');
    const failure = await timed(find({ XDG_RUNTIME_DIR: folder }));
    expect(failure.evidence.join()).toContain('nothing listens');
    expect(failure.hint).toContain('systemctl start docker');
  });

  it('says that a path is too long for a socket', async () => {
    const failure = await timed(find({ DOCKER_HOST: `unix:///${'x'.repeat(200)}` }));
    expect(failure.evidence.join()).toContain('107 bytes');
  });

  it('says that the user is not in the group docker', async () => {
    const path = await engineThatSays(() => undefined);
    await chmod(path, 0o000);
    await chmod(folder, 0o755);
    const failure = await asNobody(() => timed(find({ XDG_RUNTIME_DIR: folder })));
    expect(failure.message).toContain('may not use');
    expect(failure.evidence.join()).toContain(`permission denied on ${path}`);
    expect(failure.hint).toContain('usermod -aG docker');
  });
});

it('leaves the libraries that it does not load for whoever needs them', () => {
  loadDockerode();
  const dockerode = createRequire(createRequire(import.meta.url).resolve('dockerode'));
  const packer = dockerode('tar-fs') as { pack?: unknown };
  expect(typeof packer.pack).toBe('function');
});
