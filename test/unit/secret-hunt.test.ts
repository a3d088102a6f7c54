/** The hunt for secrets finds what is there, in whatever form. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { findIn, huntProcesses } from '../support/secret-hunt.js';

const GENERATED = 'q2J0-_hFzYp5mJ8lq3v7s1T4w6x9zAbCdEfGhIjKlM0';
const ODD = 'a "b" \\ /ü😀\n% & = +';
const b64 = (text: string): string => Buffer.from(text).toString('base64');

describe.each([
  ['a generated password', GENERATED],
  ['any other value', ODD],
])('%s is found', (_, secret) => {
  const whose = new Map([['nobody', secret]]);

  it.each<[string, string | Buffer]>([
    ['as it is', `before ${secret} after`],
    ['between bytes that are no text', Buffer.concat([Buffer.from([0, 255]), Buffer.from(secret), Buffer.from([0])])],
    ['in JSON', JSON.stringify({ deep: [secret] })],
    ['in JSON of JSON', JSON.stringify({ text: JSON.stringify({ deep: secret }) })],
    ['in a URL', `redis://default:${encodeURIComponent(secret)}@host:6379`],
    ['in a form', new URLSearchParams({ password: secret }).toString()],
    ['in hex', Buffer.from(`xx${secret}`).toString('hex')],
    ['in upper-case hex', Buffer.from(secret).toString('hex').toUpperCase()],
    ['in base64', b64(secret)],
    ['in base64 behind one letter', b64(`:${secret}:`)],
    ['in base64 behind two', b64(`::${secret}`)],
    ['in base64 as a login', b64(`default:${secret}`)],
    ['in base64url', Buffer.from(`user:${secret}!`).toString('base64url')],
  ])('%s', (where, text) => {
    expect(findIn(where, text, whose)).toHaveLength(1);
  });

  it('not where it is not', () => {
    expect(findIn('elsewhere', `${secret.slice(0, -1)} ${secret.slice(1)} ${b64(secret.slice(2))}`, whose)).toEqual([]);
  });
});

describe('every process of this machine is looked at', () => {
  it.each([
    ['cmdline', (secret: string) => spawn('sh', ['-c', 'sleep 60; :', secret], { detached: true })],
    ['cmdline', (secret: string) => spawn('sleep', ['60'], { argv0: `sleep-${b64(`default:${secret}`)}` })],
    ['environ', (secret: string) => spawn('sleep', ['60'], { env: { PLANTED: secret }, cwd: '/' })],
    [
      'environ',
      (secret: string) => spawn('sleep', ['60'], { env: { URL: `redis://:${encodeURIComponent(secret)}@h` } }),
    ],
  ])('its %s', async (name, plant) => {
    const secret = `${String(Math.random())} a planted "password"`;
    const planted = plant(secret);
    try {
      await once(planted, 'spawn');
      const { files, found } = await huntProcesses(new Map([['nobody', secret]]));
      expect(files).toBeGreaterThan(3);
      expect(found).toHaveLength(1);
      expect(found[0]).toMatch(new RegExp(`^process ${String(planted.pid)} .*: ${name}: the password of nobody`));
    } finally {
      if (planted.spawnargs[0] === 'sh') process.kill(-(planted.pid ?? 0));
      else planted.kill();
    }
  });
});
