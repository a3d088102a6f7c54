/** What a caller over HTTP cannot do, whoever it is; and that the server answers the next one. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { networkInterfaces } from 'node:os';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { bearerToken, HttpServerProcess, ServerProcess } from '../support/mcp-client.js';
import { Nexus } from '../support/nexus.js';
import { ask, INITIALIZE, JSON_HEADERS } from '../support/raw-mcp.js';
import type { Answer } from '../support/raw-mcp.js';

let nexus: Nexus;
let server: HttpServerProcess;
let token: string;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: {} });
  const { code, err } = await nexus.run('up');
  expect(code, err).toBe(0);
  server = await HttpServerProcess.start(nexus, { args: ['mcp', 'control'] });
  token = await bearerToken(nexus);
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await nexus[Symbol.asyncDispose]();
});
// Whatever was tried, the next call is answered, and no log has what must not be there.
afterEach(async () => {
  expect((await initialize()).status).toBe(200);
  expect(server.err).not.toContain(token);
});

const withToken = (): Readonly<Record<string, string>> => ({ ...JSON_HEADERS, authorization: `Bearer ${token}` });

async function initialize(headers: Readonly<Record<string, string>> = {}, path?: string): Promise<Answer> {
  const given = { ...withToken(), ...headers };
  return ask(server.port, {
    headers: given,
    body: JSON.stringify(INITIALIZE),
    ...(path === undefined ? {} : { path }),
  });
}

describe('a caller who should not be one', () => {
  it.each(['evil.example', '127.0.0.1', '127.0.0.1:1', 'localhost.evil.example', 'localhost:80@evil.example', '[::1]'])(
    'is refused under the name %s',
    async (host) => {
      const answer = await initialize({ host });
      expect(answer.status).toBe(403);
      expect(answer.text).not.toContain('evil');
    },
  );

  it.each([
    'https://evil.example',
    'null',
    'http://localhost:3000',
    'http://127.0.0.1',
    'file://',
    'https://localhost',
  ])('is refused as a page of %s', async (origin) => {
    const answer = await initialize({ origin });
    expect(answer.status).toBe(403);
    expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it.each([
    ['nothing', undefined],
    ['another scheme', 'Basic bWNwOm1jcA=='],
    ['no token', 'Bearer '],
    ['a wrong token', `Bearer ${'x'.repeat(43)}`],
    ['one that is very long', `Bearer ${'x'.repeat(8_000)}`],
  ])('is told nothing when it shows %s', async (_, authorization) => {
    const headers = { ...JSON_HEADERS, ...(authorization === undefined ? {} : { authorization }) };
    const answer = await ask(server.port, { headers, body: JSON.stringify(INITIALIZE) });
    expect(answer.status).toBe(401);
    expect(answer.headers['www-authenticate']).toBe('Bearer realm="nexus3"');
    expect(answer.text).not.toContain('nexus3-control');
  });

  it('is told the same however near it came', async () => {
    const near = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`;
    const [one, other] = await Promise.all([
      initialize({ authorization: `Bearer ${near}` }),
      initialize({ authorization: 'Bearer x' }),
    ]);
    expect({ ...one, headers: { ...one.headers, date: '' } }).toEqual({
      ...other,
      headers: { ...other.headers, date: '' },
    });
  });

  it('may not show it in the URL', async () => {
    for (const query of [`?token=${token}`, `?access_token=${token}`, `?authorization=Bearer%20${token}`]) {
      const answer = await ask(server.port, {
        path: `/mcp${query}`,
        headers: JSON_HEADERS,
        body: JSON.stringify(INITIALIZE),
      });
      expect(answer.status).toBe(401);
    }
  });

  it('finds nobody on another address of this machine', async () => {
    const addresses = Object.values(networkInterfaces())
      .flatMap((all) => all ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { address } of addresses) {
      const refused = await new Promise<boolean>((resolve) => {
        const socket = connect({ host: address, port: server.port });
        socket.on('connect', () => {
          socket.destroy();
          resolve(false);
        });
        socket.on('error', () => resolve(true));
      });
      expect(refused, address).toBe(true);
    }
  });
});

describe('a caller with the token', () => {
  it.each([
    '/',
    '/mcp/',
    '/mcp/..',
    '/mcp/../mcp',
    '//mcp',
    '/MCP',
    '/%6dcp',
    '/mcp%00',
    '/mcp;x',
    '/mcp#x',
    'http://evil.example/mcp',
  ])('finds nothing at %s', async (path) => {
    expect((await initialize({}, path)).status).toBe(404);
  });

  it('is answered POST, and an end of its session', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'OPTIONS', 'HEAD', 'TRACE']) {
      const answer = await ask(server.port, { method, headers: withToken() });
      expect(answer.status, method).toBe(405);
      expect(answer.headers['allow']).toBe('POST, DELETE');
    }
    expect((await ask(server.port, { method: 'DELETE', headers: withToken() })).status).toBe(400);
    const session = String((await initialize()).headers['mcp-session-id']);
    const headers = { ...withToken(), 'mcp-session-id': session };
    expect((await ask(server.port, { method: 'DELETE', headers })).status).toBe(200);
    const list = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/list' });
    expect((await ask(server.port, { headers, body: list })).status).toBe(404);
    expect((await ask(server.port, { headers: withToken(), body: list })).status).toBe(400);
  });

  it('has to send JSON of a bounded size', async () => {
    expect((await initialize({ 'content-type': 'text/plain' })).status).toBe(415);
    expect((await initialize({ 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415);
    for (const body of ['', '{', 'null', '[]', '"text"', '\u0000', `${'['.repeat(100_000)}${']'.repeat(100_000)}`]) {
      const answer = await ask(server.port, { headers: withToken(), body });
      expect([400, 500], body.slice(0, 9)).toContain(answer.status);
      expect(answer.text).not.toMatch(/ at .*\.js/);
    }
    const huge = { ...withToken(), 'content-length': String(100 * 1024 * 1024) };
    expect(await statusOfHead(huge)).toBe(413);
    const answer = ask(server.port, { headers: withToken(), body: Buffer.alloc(5 * 1024 * 1024, ' ') });
    // The connection may be gone before all of it was sent.
    expect([413, 'reset']).toContain(
      await answer.then(
        ({ status }) => status,
        () => 'reset',
      ),
    );
    expect((await initialize({ 'x-filler': 'x'.repeat(20_000) })).status).toBe(431);
  });

  it('calls a thousand times at once', async () => {
    const answers = await Promise.all(Array.from({ length: 1_000 }, () => initialize()));
    const counts = new Map<number, number>();
    for (const { status, headers } of answers) {
      counts.set(status, (counts.get(status) ?? 0) + 1);
      if (status === 503) expect(headers['retry-after']).toBe('1');
    }
    expect([...counts.keys()].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(counts.get(200)).toBeGreaterThan(500);
  });

  it('may go away whenever it likes', async () => {
    for (let round = 0; round < 20; round += 1) {
      const sent = request({
        host: '127.0.0.1',
        port: server.port,
        method: 'POST',
        path: '/mcp',
        headers: withToken(),
      });
      sent.on('error', () => undefined);
      sent.write(JSON.stringify(INITIALIZE).slice(0, round * 5));
      await new Promise((resolve) => setTimeout(resolve, round));
      sent.destroy();
    }
  });
});

describe('a slow caller', () => {
  it('is shown out while it still sends headers, or a body', { timeout: 60_000 }, async () => {
    const host = `Host: 127.0.0.1:${String(server.port)}`;
    const head = `POST /mcp HTTP/1.1\r\n${host}\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
    const [headers, body] = await Promise.all([
      heldOpenMs(head),
      heldOpenMs(`${head}Accept: application/json, text/event-stream\r\nContent-Length: 1000\r\n\r\n`),
    ]);
    expect(headers).toBeLessThan(20_000);
    expect(body).toBeLessThan(40_000);
  });
});

/** A byte now and then, for as long as the server bears it. */
async function heldOpenMs(start: string): Promise<number> {
  const socket = connect({ host: '127.0.0.1', port: server.port });
  socket.on('error', () => undefined);
  socket.write(start);
  const drip = setInterval(() => socket.write('x'), 500);
  const startedAt = performance.now();
  await new Promise((resolve) => socket.once('close', resolve).resume());
  clearInterval(drip);
  return performance.now() - startedAt;
}

describe('how it starts and ends', () => {
  it('says who has its port', async () => {
    await using second = new ServerProcess(nexus, { args: ['mcp', 'control', '--http', String(server.port)] });
    expect(await second.ended()).toBe(1);
    expect(second.err).toContain(`Port ${String(server.port)} is taken`);
  });

  it('takes its token from a file that nobody else can read', async () => {
    const file = join(nexus.root, 'bearer');
    await writeFile(file, `${'f'.repeat(40)}\n`, { mode: 0o644 });
    const args = ['mcp', 'control', '--bearer-file', file];
    await using refused = new ServerProcess(nexus, { args: [...args, '--http', String(server.port)] });
    expect(await refused.ended()).toBe(3);
    expect(refused.err).toContain('chmod 600');
    const { chmod } = await import('node:fs/promises');
    await chmod(file, 0o600);
    await using own = await HttpServerProcess.start(nexus, { args });
    const headers = { ...JSON_HEADERS, authorization: `Bearer ${'f'.repeat(40)}` };
    expect((await ask(own.port, { headers, body: JSON.stringify(INITIALIZE) })).status).toBe(200);
    expect((await ask(own.port, { headers: withToken(), body: JSON.stringify(INITIALIZE) })).status).toBe(401);
    own.child.kill('SIGTERM');
    expect(await own.ended()).toBe(0);
  });
});

/** Of the answer to a request whose body never comes. */
async function statusOfHead(headers: Readonly<Record<string, string>>): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const sent = request({ host: '127.0.0.1', port: server.port, method: 'POST', path: '/mcp', headers, agent: false });
    sent.on('response', ({ statusCode }) => {
      resolve(statusCode);
      sent.destroy();
    });
    sent.on('error', reject);
    sent.flushHeaders();
  });
}
