import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EngineVersion } from './engine-record.js';
import { canRead, formatModuleVersion, parseEngineRecord, renderEngineRecord } from './engine-record.js';

const engine = (version: string, graphModule = 41603, kind: EngineVersion['kind'] = 'redis'): EngineVersion => ({
  kind,
  version,
  graphModule,
});

const engines: fc.Arbitrary<EngineVersion> = fc.record({
  kind: fc.constantFrom('redis', 'valkey'),
  version: fc.tuple(fc.nat(12), fc.nat(12), fc.nat(30)).map((parts) => parts.join('.')),
  graphModule: fc.oneof(fc.constant(0), fc.integer({ min: 20000, max: 60000 })),
});

describe('the engine record', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(engines, (written) => {
        expect(parseEngineRecord(renderEngineRecord(written))).toEqual(written);
      }),
    );
  });

  it.each([
    '',
    'redis',
    'redis 8.2.3',
    'redis 8.2 41603\n',
    'keydb 6.3.4 0\n',
    'redis 8.2.3 x\n',
    'redis  8.2.3 1\n',
    'a\nredis 8.2.3 1\n',
  ])('is not %j', (text) => {
    expect(parseEngineRecord(text)).toBeUndefined();
  });

  it('names the module as its authors do', () => {
    expect(formatModuleVersion(41603)).toBe('4.16.3');
    expect(formatModuleVersion(60001)).toBe('6.0.1');
  });
});

describe('what an engine can read', () => {
  it.each<[string, EngineVersion, EngineVersion, boolean]>([
    ['its own', engine('8.2.3'), engine('8.2.3'), true],
    ['an older patch release’s', engine('8.2.3'), engine('8.2.1'), true],
    ['a newer patch release’s', engine('8.2.1'), engine('8.2.3'), true],
    ['a newer minor release’s', engine('8.2.3'), engine('8.4.0'), false],
    ['an older major release’s', engine('8.2.3'), engine('7.4.9'), true],
    ['a newer one’s with two digits', engine('8.2.0'), engine('8.10.0'), false],
    ['another kind’s', engine('8.2.3'), engine('8.0.1', 41603, 'valkey'), false],
    ['an older module’s', engine('8.2.3', 41603), engine('8.2.3', 41500), true],
    ['a newer module’s', engine('8.2.3', 41603), engine('8.2.3', 41604), false],
    ['4.x data with 6.x', engine('8.2.3', 60001), engine('8.2.3', 41603), false],
    ['data with graphs, without the module', engine('8.2.3', 0), engine('8.2.3', 41603), false],
    ['data without graphs, with the module', engine('8.2.3', 41603), engine('8.2.3', 0), true],
  ])('%s', (_, reader, writer, expected) => {
    expect(canRead(reader, writer)).toBe(expected);
  });

  it('includes what it wrote itself, and goes through intermediate steps', () => {
    fc.assert(
      fc.property(engines, engines, engines, (a, b, c) => {
        expect(canRead(a, a)).toBe(true);
        // Not through an engine without the module: it never had graphs to hand on.
        if (b.graphModule !== 0 && canRead(a, b) && canRead(b, c)) expect(canRead(a, c)).toBe(true);
      }),
    );
  });
});
