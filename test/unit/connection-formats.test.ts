/** The formats of a connection as other programs read them: shells, Python, and the clients that people use. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import fc from 'fast-check';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { renderEnv, renderUrl, shellQuote } from '../../src/protocol/connection-formats.js';
import { anyPassword, AWKWARD } from '../support/awkward.js';
import { rounds } from '../support/random.js';
import { SHELLS } from '../support/shells.js';

const TIMEOUT_MS = 30_000;
const PYTHON = '/usr/bin/python3';
const OUTPUT_BYTES_MAX = 64 * 1024 * 1024;
const PLACE = { username: 'default', host: '127.0.0.1', port: 6640 };

/** Many at once, because every reader is a process of its own. */
const passwords: readonly string[] = [...AWKWARD, ...fc.sample(anyPassword(), rounds(200, 1_000))];
const urls = passwords.map((password) => renderUrl({ ...PLACE, env: 'track', password }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'nexus3-formats-'));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe.each(SHELLS)('shell variables in $name', ({ command: [program = '', ...args] }) => {
  const said = (script: string): readonly string[] =>
    execFileSync(program, [...args], { input: script, maxBuffer: OUTPUT_BYTES_MAX, timeout: TIMEOUT_MS })
      .toString('utf8')
      .split('\0')
      .slice(0, -1);
  const print = `printf '%s\\0' "$NEXUS3_TRACK_PASSWORD" "$NEXUS3_TRACK_URL"\n`;

  /** @param read the words by which a shell reads such a file */
  function readBy(read: (path: string) => string): readonly string[] {
    const script = passwords.map((password, index) => {
      const path = join(folder, String(index));
      writeFileSync(path, renderEnv({ ...PLACE, env: 'track', password }));
      return `${read(shellQuote(path))}\n${print}`;
    });
    return said(script.join(''));
  }

  const expected = passwords.flatMap((password, index) => [password, urls[index] ?? '']);

  it('give back any password by `.`', () => {
    expect(readBy((path) => `. ${path}`)).toEqual(expected);
  });

  it('give back any password by `eval "$(…)"`', () => {
    expect(readBy((path) => `eval "$(cat ${path})"`)).toEqual(expected);
  });

  it('run nothing', () => {
    const planted = join(folder, 'planted');
    for (const attack of [
      `$(touch ${planted})`,
      `'; touch ${planted}; '`,
      `'\ntouch ${planted}\n'`,
      `\`touch ${planted}\``,
    ]) {
      const text = renderEnv({ ...PLACE, env: 'track', username: attack, host: attack, password: attack });
      said(`${text}set -- ${shellQuote(attack)}\n`);
      expect(spawnSync('test', ['-e', planted]).status, attack).toBe(1);
    }
  });
});

describe('the URL', () => {
  it('gives Node any password, and the rest', () => {
    for (const [index, url] of urls.entries()) {
      const { username, password, hostname, port, protocol } = new URL(url);
      expect(decodeURIComponent(password)).toBe(passwords[index]);
      expect([protocol, username, hostname, port]).toEqual(['redis:', 'default', '127.0.0.1', '6640']);
    }
  });

  it('gives node-redis any password', () => {
    // One costs as much as a thousand of the others.
    for (const [index, url] of urls.slice(0, rounds(20, 100)).entries()) {
      const { password, username, socket } = createClient({ url }).options;
      expect([username, password, socket]).toEqual([
        'default',
        passwords[index],
        { host: '127.0.0.1', port: 6640, tls: false },
      ]);
    }
  });

  it('gives ioredis any password', () => {
    for (const [index, url] of urls.entries()) {
      const client = new Redis(url, { lazyConnect: true });
      const { password, username, host, port } = client.options;
      expect([username, password, host, port]).toEqual(['default', passwords[index], '127.0.0.1', 6640]);
      client.disconnect();
    }
  });

  const python = (script: string): unknown =>
    JSON.parse(
      execFileSync(PYTHON, ['-c', script], {
        input: JSON.stringify(urls),
        maxBuffer: OUTPUT_BYTES_MAX,
        timeout: TIMEOUT_MS,
      }).toString('utf8'),
    );
  const knows = (module: string): boolean => spawnSync(PYTHON, ['-c', `import ${module}`]).status === 0;

  it.skipIf(!knows('urllib.parse'))('gives Python’s urllib any password', () => {
    const script =
      'import json,sys,urllib.parse as u\n' +
      'print(json.dumps([[u.unquote(p.password),p.username,p.hostname,p.port] for p in map(u.urlparse,json.load(sys.stdin))]))';
    expect(python(script)).toEqual(passwords.map((password) => [password, 'default', '127.0.0.1', 6640]));
  });

  it.skipIf(!knows('redis'))('gives redis-py any password', () => {
    const script =
      'import json,sys,redis\n' +
      "of=lambda k:[k['password'],k['username'],k['host'],k['port']]\n" +
      'print(json.dumps([of(redis.ConnectionPool.from_url(u).connection_kwargs) for u in json.load(sys.stdin)]))';
    expect(python(script)).toEqual(passwords.map((password) => [password, 'default', '127.0.0.1', 6640]));
  });
});
