import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Environment } from './environment.js';
import { fitsPortRange, isPort, nextVaultPort, portClashes } from './ports.js';
import { PROTOCOL_REGISTRY } from './registry.js';

const environment = (name: string, vaultPort: number, kind: Environment['kind'] = 'standard'): Environment => ({
  name,
  kind,
  vaultPort,
});

const environments = fc
  .uniqueArray(
    fc.record({ name: fc.stringMatching(/^[a-z][a-z0-9-]{0,8}$/), port: fc.integer({ min: 6590, max: 7000 }) }),
    {
      selector: ({ name }) => name,
      maxLength: 60,
    },
  )
  .chain((items) =>
    fc.tuple(
      ...items.map(({ name, port }) => fc.constantFrom(environment(name, port), environment(name, port, 'secure'))),
    ),
  );

describe('ports', () => {
  it.each([
    [1023, false],
    [1024, true],
    [65534, true],
    [65535, false],
    [6640.5, false],
    [Number.NaN, false],
    [-1, false],
  ])('%d is allowed: %s', (port, allowed) => {
    expect(isPort(port)).toBe(allowed);
  });

  it('leave room for the operational of the highest vault', () => {
    expect(fitsPortRange(environment('a', 65533))).toBe(true);
    expect(fitsPortRange(environment('a', 65534))).toBe(false);
    expect(fitsPortRange(environment('a', 65534, 'secure'))).toBe(true);
  });

  it('clash when a vault stands on its neighbour’s operational', () => {
    expect(portClashes([environment('a', 6640), environment('b', 6641)])).toEqual([
      { port: 6641, first: 'a/operational', second: 'b/vault' },
    ]);
    expect(portClashes([environment('a', 6640, 'secure'), environment('b', 6641)])).toEqual([]);
    expect(portClashes([environment('a', 6640), environment('b', 6640)])).toHaveLength(2);
  });
});

describe('the next vault port', () => {
  it('is a 66X0 first, then goes on with 6700', () => {
    expect(nextVaultPort([])).toBe(6600);
    expect(nextVaultPort(PROTOCOL_REGISTRY)).toBe(6600);
    const all66 = Array.from({ length: 10 }, (_, index) => environment(`e${String(index)}`, 6600 + 10 * index));
    expect(nextVaultPort(all66)).toBe(6700);
    expect(nextVaultPort([], new Set([6600, 6611]))).toBe(6620);
  });

  it('is undefined when every pair is taken', () => {
    const all = Array.from({ length: 40 }, (_, index) => environment(`e${String(index)}`, 6600 + 10 * index, 'secure'));
    expect(nextVaultPort(all)).toBeUndefined();
    expect(nextVaultPort(all.slice(1))).toBe(6600);
  });

  it('never clashes with anything, and is always of the protocol’s form', () => {
    fc.assert(
      fc.property(
        environments,
        fc.uniqueArray(fc.integer({ min: 6590, max: 7000 })),
        fc.constantFrom<Environment['kind']>('standard', 'secure'),
        (present, taken, kind) => {
          const port = nextVaultPort(present, new Set(taken));
          if (port === undefined) return;
          expect(port % 10).toBe(0);
          expect(port).toBeGreaterThanOrEqual(6600);
          expect(port).toBeLessThanOrEqual(6990);
          expect(taken).not.toContain(port);
          expect(taken).not.toContain(port + 1);
          const added = portClashes([...present, environment('new', port, kind)]);
          expect(added).toEqual(portClashes(present));
        },
      ),
    );
  });
});
