/** The rendered start script, run by the real shells of this machine with an engine that only prints its arguments. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SHELLS } from '../../test/support/shells.js';
import type { EngineVersion } from './engine-record.js';
import { canRead, renderEngineRecord } from './engine-record.js';
import type { Placement } from './redis-conf.js';
import { ENGINE_EXIT, quoteSh, renderStartScript } from './start-script.js';

const RUNS = 40;

describe.each(SHELLS)('a quoted word in $name', ({ command }) => {
  const [program = '', ...args] = command;
  const print = (words: readonly string[]): Buffer => {
    const script = `for word in ${words.map(quoteSh).join(' ')}; do printf '%s\\0' "$word"; done`;
    return spawnSync(program, [...args, '-c', script]).stdout;
  };

  it('comes back whole, whatever it holds', () => {
    const words = fc.oneof(
      fc.string({ unit: 'binary' }).map((word) => word.replaceAll('\0', '')),
      fc.string({ unit: fc.constantFrom(...Array.from('\'"$`\\ \n*?[]{}~!#&;|<>()=-')) }),
    );
    fc.assert(
      fc.property(fc.array(words, { minLength: 1, maxLength: 20 }), (list) => {
        expect(print(list).equals(Buffer.from(list.map((word) => `${word}\0`).join('')))).toBe(true);
      }),
      { numRuns: RUNS },
    );
  });

  it('is never run, expanded or split', () => {
    const words = [
      '$(id)',
      '`id`',
      '; id',
      '\\',
      '-n',
      '~',
      "'",
      '',
      '$HOME',
      '*',
      '?',
      'a&b',
      'a|b',
      'a>b',
      '#a',
      'a b',
      '!',
      '{a,b}',
    ];
    expect(print(words).toString()).toBe(words.map((word) => `${word}\0`).join(''));
  });
});

describe.each(SHELLS)('the engine check in $name', ({ command }) => {
  let root: string;
  let placement: Placement;
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'start script\'s "$engine" -'));
  });
  afterAll(() => rmSync(root, { recursive: true }));
  beforeEach(() => {
    placement = {
      engineCommand: [join(root, 'engine')],
      modulePath: undefined,
      configDir: join(root, 'config'),
      dataDir: join(root, 'data'),
      port: 6379,
      bind: ['127.0.0.1'],
      vaultAddress: { host: 'vault', port: 6379 },
    };
    for (const folder of [placement.configDir, placement.dataDir]) {
      rmSync(folder, { recursive: true, force: true });
      mkdirSync(folder);
    }
  });

  const start = (banner: string, record: string | undefined) => {
    const engine = `#!/bin/sh\nif [ "$1" = --version ]; then printf '%s\\n' ${quoteSh(banner)}; else echo "runs $*"; fi\n`;
    writeFileSync(join(root, 'engine'), engine, { mode: 0o755 });
    const script = join(placement.configDir, 'start');
    writeFileSync(script, renderStartScript('operational', placement));
    rmSync(join(placement.configDir, 'engine'), { force: true });
    if (record !== undefined) writeFileSync(join(placement.configDir, 'engine'), record);
    const [program = '', ...args] = command;
    return spawnSync(program, [...args, script], { encoding: 'utf8' });
  };
  const banner = (kind: string, version: string): string =>
    `${kind} server v=${version} sha=00000000:1 malloc=jemalloc-5.3.0 bits=64 build=7e2a0d1c9a0b1c2d`;

  it('starts the engine on the rendered redis.conf', () => {
    const { status, stdout } = start(banner('Redis', '8.2.3'), 'redis 8.2.3 41603\n');
    expect({ status, stdout }).toEqual({ status: 0, stdout: `runs ${join(placement.configDir, 'redis.conf')}\n` });
  });

  it.each<[string, string, string | undefined, boolean]>([
    ['no record yet', banner('Redis', '8.2.3'), undefined, true],
    ['an older engine wrote it', banner('Redis', '8.2.3'), 'redis 7.2.4 41603\n', true],
    ['a newer patch release wrote it', banner('Redis', '8.2.1'), 'redis 8.2.3 41603\n', true],
    ['Valkey its own', banner('Valkey', '8.0.1'), 'valkey 8.0.1 41603\n', true],
    ['a newer minor wrote it', banner('Redis', '8.2.3'), 'redis 8.4.0 41603\n', false],
    ['a newer minor of two digits wrote it', banner('Redis', '8.2.3'), 'redis 8.10.0 41603\n', false],
    ['a newer major wrote it', banner('Redis', '7.4.9'), 'redis 8.0.0 41603\n', false],
    ['the other kind wrote it', banner('Valkey', '8.2.3'), 'redis 8.2.3 41603\n', false],
    ['an engine that says nothing', '', 'redis 8.2.3 41603\n', false],
    ['an engine that says anything', 'Redis server', 'redis 8.2.3 41603\n', false],
    ['an empty record', banner('Redis', '8.2.3'), '', false],
    ['a record of rubbish', banner('Redis', '8.2.3'), 'rubbish\n', false],
    ['a version of rubbish', banner('Redis', '8.2.3'), 'redis rubbish 1\n', false],
    ['a version beyond all numbers', banner('Redis', '8.2.3'), 'redis 99999999999999999999.0.0 1\n', false],
  ])('%s', (_, says, record, starts) => {
    const { status, stderr } = start(says, record);
    expect(status).toBe(starts ? 0 : ENGINE_EXIT);
    if (!starts) expect(stderr).toContain('nexus3: held: version-incompatible');
  });

  it('agrees with canRead, as far as it goes without the module', () => {
    const engines: fc.Arbitrary<EngineVersion> = fc.record({
      kind: fc.constantFrom('redis', 'valkey'),
      version: fc.tuple(fc.integer({ min: 7, max: 10 }), fc.nat(11), fc.nat(9)).map((parts) => parts.join('.')),
      graphModule: fc.constant(41603),
    });
    fc.assert(
      fc.property(engines, engines, (reader, writer) => {
        const says = banner(reader.kind === 'redis' ? 'Redis' : 'Valkey', reader.version);
        expect(start(says, renderEngineRecord(writer)).status === 0).toBe(canRead(reader, writer));
      }),
      { numRuns: RUNS },
    );
  });

  it.each(['*', '?', '[a]'])(
    'refuses a configuration path with %s, which the engine would take for a pattern',
    (wildcard) => {
      placement = { ...placement, configDir: join(root, `config${wildcard}`) };
      mkdirSync(placement.configDir);
      const { status, stdout, stderr } = start(banner('Redis', '8.2.3'), undefined);
      expect({ status, stdout }).toEqual({ status: 1, stdout: '' });
      expect(stderr).toContain('nexus3: refused: the path');
    },
  );

  it('changes nothing', () => {
    start(banner('Redis', '7.0.15'), 'redis 8.2.3 41603\n');
    expect(readFileSync(join(placement.configDir, 'engine'), 'utf8')).toBe('redis 8.2.3 41603\n');
  });
});
