import { format, inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Secret } from './secret.js';

const PLAIN = 'hunter2-0123456789';
const secret = new Secret(PLAIN);
const nested = { list: [{ secret }], map: new Map([['key', secret]]) };

describe('a secret', () => {
  it.each<[string, () => string]>([
    ['in a template', () => `password ${String(secret)}`],
    ['joined', () => [secret, secret].join(',')],
    ['added to a string', () => 'x'.concat(secret as unknown as string)],
    ['as JSON', () => JSON.stringify({ ...nested, map: [...nested.map] })],
    ['inspected', () => inspect(nested, { depth: 10, showHidden: true })],
    ['formatted', () => format('%s %o %O %j', secret, nested, nested, secret)],
    ['as an error message', () => inspect(new Error(String(secret), { cause: nested }))],
    ['as its own keys', () => JSON.stringify([Object.keys(secret), Object.values(secret), Object.assign({}, secret)])],
  ])('does not show %s', (_, show) => {
    expect(show()).not.toContain(PLAIN);
  });

  it('is revealed only when asked', () => {
    expect(secret.reveal()).toBe(PLAIN);
    expect(String(secret)).toBe('[secret]');
  });
});
