import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { Nexus3Error } from '../errors.js';
import type { EnvironmentUrls } from './place-at-urls.js';
import { placeAt } from './place-at-urls.js';

function refusalOf(urls: EnvironmentUrls, database?: number): string {
  try {
    placeAt(urls, database);
  } catch (error) {
    if (error instanceof Nexus3Error) return `${error.code} ${inspect(error, { depth: 9 })}`;
    throw error;
  }
  return 'it was not refused';
}

describe('URLs of an environment', () => {
  it('say where it is, and how to log in', async () => {
    const { place, database } = placeAt(
      { vault: 'redis://ap%70:p%40ss@[::1]:7000', operational: 'redis://h' },
      undefined,
    );
    expect(place).toMatchObject({
      name: 'environment',
      kind: 'standard',
      vault: { host: '::1', port: 7000 },
      operational: { host: 'h', port: 6379 },
    });
    expect([await place.login(), database]).toEqual([{ username: 'app', password: 'p@ss' }, undefined]);
    const alone = placeAt({ vault: 'redis://:x@h/', name: 'user' }, 3);
    expect(alone).toMatchObject({ place: { name: 'user', kind: 'secure', operational: undefined }, database: 3 });
    expect((await alone.place.login()).username).toBe('default');
  });

  it('name a database, which is that of both servers', () => {
    const vault = 'redis://:x@h:1/2';
    expect(placeAt({ vault }, undefined).database).toBe(2);
    expect(placeAt({ vault, operational: 'redis://h:2/2' }, 2).database).toBe(2);
    expect(refusalOf({ vault, operational: 'redis://h:2/3' })).toContain('USAGE');
    expect(refusalOf({ vault }, 1)).toContain('USAGE');
  });

  it.each([
    '',
    'h:1',
    'rediss://:hidden@h:1',
    'redis://:hidden@h:99999',
    'redis://:hid%zzden@h:1',
    'redis://:hidden/hidden@h:1',
    'redis://:hidden@h:1/two',
    'redis://:hidden@h:1/2/3',
    'redis://:hidden@h:1?db=2',
    'redis://:hidden@h:1#2',
  ])('are refused without being shown: %s', (vault) => {
    const refusal = refusalOf({ vault });
    expect(refusal).toContain('USAGE');
    expect(refusal).not.toContain('hid');
  });

  it('hold no password for the operational, which would not be used', () => {
    expect(refusalOf({ vault: 'redis://:x@h:1', operational: 'redis://:hidden@h:2' })).toMatch(/^USAGE(?!.*hidden)/su);
  });
});
