import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Replication } from './replication.js';
import type { RouteInput, Seen } from './route.js';
import { decideRoute } from './route.js';

const of = (role: Replication['role'], more: Partial<Replication> = {}, offset = 1_000): Replication => ({
  role,
  position: { replid: 'a', offset },
  linkUp: true,
  linkDownSeconds: 0,
  loading: false,
  ...more,
});
const VAULT = of('master');
const route = (operational: Seen, vault: Seen = VAULT, more: Partial<RouteInput> = {}) =>
  decideRoute({ vault, operational, lagBytesMax: 100, now: 'operational', ...more });

describe('where reads go', () => {
  it('is the operational while all is well', () => {
    expect(route(of('replica'))).toEqual({ readsFrom: 'operational', reason: 'healthy', lagBytes: 0 });
    expect(route(of('replica', {}, 900))).toMatchObject({ readsFrom: 'operational', lagBytes: 100 });
  });

  it.each(['down', 'silent', 'loading'] as const)('is the vault while the operational is %s', (seen) => {
    expect(route(seen)).toMatchObject({ readsFrom: 'vault', reason: seen });
  });

  it('is the vault while the operational reads a data set', () => {
    expect(route(of('replica', { loading: true }))).toMatchObject({ readsFrom: 'vault', reason: 'loading' });
  });

  it('is the vault while the operational is too far behind, or follows another history', () => {
    expect(route(of('replica', {}, 899))).toMatchObject({ readsFrom: 'vault', reason: 'lagging', lagBytes: 101 });
    const other = of('replica', { position: { replid: 'b', offset: 5_000 } });
    expect(route(other)).toEqual({ readsFrom: 'vault', reason: 'other-history', lagBytes: undefined });
  });

  it('is the vault when a link stays down and the least is missing', () => {
    const away = { linkUp: false, linkDownSeconds: 6 };
    expect(route(of('replica', away, 999))).toMatchObject({ readsFrom: 'vault', reason: 'link-down', lagBytes: 1 });
    expect(route(of('replica', away)).readsFrom).toBe('operational');
    expect(route(of('replica', { linkUp: false, linkDownSeconds: 5 }, 999)).readsFrom).toBe('operational');
  });

  it('is the operational, however old, while the vault cannot answer', () => {
    for (const vault of ['down', 'silent', 'loading'] as const) {
      expect(route(of('replica', { linkUp: false, linkDownSeconds: 600 }, 1), vault).readsFrom).toBe('operational');
      expect(route('down', vault).readsFrom).toBe('operational');
    }
    expect(route('down', of('master', { loading: true })).readsFrom).toBe('operational');
  });

  it('stays where it is while one that lives cannot be asked', () => {
    for (const now of ['vault', 'operational'] as const) {
      expect(route('busy', VAULT, { now }).readsFrom).toBe(now);
      expect(route(of('replica'), 'busy', { now }).readsFrom).toBe(now);
    }
  });

  it('is never a server that is known not to answer while the other one does', () => {
    const away = fc.constantFrom<Seen>('down', 'silent', 'loading');
    const there = fc.integer({ min: 0, max: 2_000 }).map((offset) => of('replica', {}, offset));
    fc.assert(fc.property(away, (seen) => route(seen).readsFrom === 'vault'));
    fc.assert(fc.property(away, there, (vault, seen) => route(seen, vault).readsFrom === 'operational'));
  });
});
