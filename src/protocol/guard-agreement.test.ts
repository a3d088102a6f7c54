/**
 * The guard is written twice: in the rendered start script, which works without nexus3, and as `judgeVault`, which
 * `check` reports from. Here both judge the same real folders, in the real shells of this machine.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SHELLS, type Shell } from '../../test/support/shells.js';
import { readFolders } from '../reconcile/folder.js';
import type { GuardVerdict } from './guard.js';
import { judgeVault } from './guard.js';
import { BIRTH_FILE, CONFIG_FILE } from './layout.js';
import { HELD_EXIT, renderStartScript } from './start-script.js';

/** In each shell; a soak tries many more. */
const RANDOM_STATES = process.env['NEXUS3_SOAK'] === '1' ? 3000 : 120;
const STATES_TIMEOUT_MS = 600_000;

/** What lies in the two folders of a vault; undefined for a file that is not there. */
interface State {
  readonly mark: string | undefined;
  readonly birth: string | undefined;
  readonly manifest: string | undefined;
  /** Bytes of each file of the append-only folder. */
  readonly files: Readonly<Record<string, number>>;
}

const OURS = '0123456789abcdef'.repeat(2);
const THEIRS = 'f'.repeat(32);
const BASE = 'appendonly.aof.1.base.rdb';
const INCREMENTAL = 'appendonly.aof.2.incr.aof';
const MANIFEST = `file ${BASE} seq 1 type b\nfile ${INCREMENTAL} seq 2 type i\n`;
const HEALTHY: State = {
  mark: `${OURS} 2 100\n`,
  birth: `born ${OURS}\n`,
  manifest: MANIFEST,
  files: { [BASE]: 88, [INCREMENTAL]: 100 },
};

let root: string;
let dataDir: string;
let configDir: string;
beforeAll(() => {
  // A path that a careless script falls over.
  root = mkdtempSync(join(tmpdir(), 'a "vault" of $HOME\'s `id` -'));
  [dataDir, configDir] = [join(root, 'data'), join(root, 'config')];
});
afterAll(() => rmSync(root, { recursive: true }));

function lay(state: State): void {
  for (const folder of [dataDir, configDir]) rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(dataDir, 'appendonlydir'), { recursive: true });
  mkdirSync(configDir);
  const write = (path: string, text: string | undefined): void => {
    if (text !== undefined) writeFileSync(path, text);
  };
  write(join(configDir, CONFIG_FILE.mark), state.mark);
  write(join(dataDir, BIRTH_FILE), state.birth);
  write(join(dataDir, 'appendonlydir', 'appendonly.aof.manifest'), state.manifest);
  for (const [file, bytes] of Object.entries(state.files)) {
    writeFileSync(join(dataDir, 'appendonlydir', file), Buffer.alloc(bytes));
  }
  const engine = join(configDir, 'fake engine');
  writeFileSync(engine, '#!/bin/sh\necho "runs $*"\n', { mode: 0o755 });
  const placement = {
    engineCommand: [engine],
    modulePath: undefined,
    configDir,
    dataDir,
    port: 6379,
    bind: ['127.0.0.1'],
    vaultAddress: { host: 'vault', port: 6379 },
  };
  writeFileSync(join(configDir, CONFIG_FILE.start), renderStartScript('vault', placement));
}

/** What judgeVault says, in the words of the start script. */
function judged(): string {
  const { mark, vault } = readFolders({ configDir, dataDir }, undefined);
  return wordOf(judgeVault(mark, vault));
}

function wordOf(verdict: GuardVerdict): string {
  if (verdict.state === 'held') return verdict.code;
  return verdict.state === 'clear' ? 'clear' : 'unmarked';
}

/** What the start script does: `clear` when the engine ran, else the code that it was held with. */
function started({ command: [program = '', ...args] }: Shell): string {
  const birthBefore = readIfThere(join(dataDir, BIRTH_FILE));
  const { status, stdout, stderr } = spawnSync(program, [...args, join(configDir, CONFIG_FILE.start)], {
    encoding: 'utf8',
  });
  const birth = readIfThere(join(dataDir, BIRTH_FILE));
  if (status === 0 && stdout === `runs ${join(configDir, CONFIG_FILE.redisConf)}\n`) return 'clear';
  expect(stdout, 'the engine must not run').toBe('');
  expect(birth, 'a held vault is not touched').toBe(birthBefore);
  const code = /^nexus3: held: ([a-z-]+): /m.exec(stderr)?.[1] ?? `no code in: ${stderr}`;
  return status === HELD_EXIT ? code : `exit ${String(status)}: ${stderr}`;
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

const TABLE: readonly [string, Partial<State>, string][] = [
  ['healthy', {}, 'clear'],
  ['further than the mark', { files: { [BASE]: 88, [INCREMENTAL]: 101 } }, 'clear'],
  ['rewritten since', { mark: `${OURS} 1 999999\n` }, 'clear'],
  ['new', { mark: `${OURS} 0 0\n`, birth: `unborn ${OURS}\n`, manifest: undefined, files: {} }, 'clear'],
  ['killed after its first start', { mark: `${OURS} 0 0\n`, birth: `unborn ${OURS}\n` }, 'clear'],
  ['history gone', { manifest: `${MANIFEST}file appendonly.aof.0.incr.aof seq 0 type h\n` }, 'clear'],
  ['further fields', { manifest: MANIFEST.replace('type i', 'type i startoffset 12') }, 'clear'],
  ['leading zeros', { mark: `${OURS} 002 0100\n` }, 'clear'],
  ['nothing at all', { mark: undefined, birth: undefined, manifest: undefined, files: {} }, 'unmarked'],
  ['data without a mark', { mark: undefined }, 'unmarked'],
  ['emptied', { birth: undefined, manifest: undefined, files: {} }, 'vault-empty'],
  ['emptied, all but the birth file', { manifest: undefined, files: {} }, 'vault-empty'],
  [
    'emptied, with a birth file that claims a first start',
    { birth: `unborn ${OURS}\n`, manifest: undefined },
    'vault-empty',
  ],
  ['no birth file', { birth: undefined }, 'vault-empty'],
  ['an empty birth file', { birth: '' }, 'vault-empty'],
  ['a birth file of rubbish', { birth: `garbage ${OURS}\n` }, 'vault-empty'],
  ['a birth file with CRLF', { birth: `born ${OURS}\r\n` }, 'vault-empty'],
  ['a birth file with a second line', { birth: `born ${OURS}\nborn ${OURS}\n` }, 'vault-empty'],
  ['a birth file without its end', { birth: `born ${OURS}` }, 'vault-empty'],
  ['a birth file with a third word', { birth: `born ${OURS} x\n` }, 'vault-empty'],
  ['another vault’s data', { birth: `born ${THEIRS}\n` }, 'vault-empty'],
  ['base gone', { files: { [INCREMENTAL]: 100 } }, 'vault-empty'],
  ['base emptied', { files: { [BASE]: 0, [INCREMENTAL]: 100 } }, 'vault-empty'],
  ['incremental gone', { files: { [BASE]: 88 } }, 'vault-empty'],
  ['an empty manifest', { manifest: '' }, 'vault-empty'],
  ['an empty manifest and a fresh mark', { mark: `${OURS} 0 0\n`, manifest: '' }, 'vault-empty'],
  ['a manifest with CRLF', { manifest: MANIFEST.replaceAll('\n', '\r\n') }, 'vault-empty'],
  ['a manifest without its end', { manifest: MANIFEST.trimEnd() }, 'vault-empty'],
  ['a manifest with an empty line', { manifest: `${MANIFEST}\n` }, 'vault-empty'],
  ['a manifest of rubbish', { manifest: 'rubbish\n' }, 'vault-empty'],
  ['a manifest with a path', { manifest: `${MANIFEST}file ../../x seq 9 type i\n` }, 'vault-empty'],
  ['a manifest with a wildcard', { manifest: `${MANIFEST}file appendonly.aof.* seq 9 type i\n` }, 'vault-empty'],
  ['a manifest with a NUL', { manifest: MANIFEST.replace('seq 2', 'seq 2\0') }, 'vault-empty'],
  ['a huge number in the manifest', { manifest: MANIFEST.replace('seq 2', `seq ${'9'.repeat(30)}`) }, 'vault-empty'],
  ['an older copy', { files: { [BASE]: 88, [INCREMENTAL]: 99 } }, 'vault-behind'],
  ['an older copy, from before a rewrite', { mark: `${OURS} 3 0\n` }, 'vault-behind'],
  ['a manifest without an incremental file', { manifest: `file ${BASE} seq 1 type b\n` }, 'vault-behind'],
  ['an empty mark', { mark: '' }, 'vault-behind'],
  ['a mark that is only a line end', { mark: '\n' }, 'vault-behind'],
  ['a mark of rubbish', { mark: 'rubbish\n' }, 'vault-behind'],
  ['a mark of hexadecimal digits', { mark: `${OURS} a b\n` }, 'vault-behind'],
  ['a mark of two words', { mark: `${OURS} 2\n` }, 'vault-behind'],
  ['a mark of four words', { mark: `${OURS} 2 100 1\n` }, 'vault-behind'],
  ['a mark without its end', { mark: `${OURS} 2 100` }, 'vault-behind'],
  ['a mark with CRLF', { mark: `${OURS} 2 100\r\n` }, 'vault-behind'],
  ['a mark with two spaces', { mark: `${OURS}  2 100\n` }, 'vault-behind'],
  ['a mark with a space before', { mark: ` ${OURS} 2 100\n` }, 'vault-behind'],
  ['a mark with a tab', { mark: `${OURS}\t2\t100\n` }, 'vault-behind'],
  ['a mark with a NUL', { mark: `${OURS} 2 10\u00000\n` }, 'vault-behind'],
  ['a mark with a second line', { mark: `${OURS} 2 100\n${OURS} 0 0\n` }, 'vault-behind'],
  ['a mark with a sign', { mark: `${OURS} -2 100\n` }, 'vault-behind'],
  ['a mark with a huge number', { mark: `${OURS} ${'9'.repeat(40)} 0\n` }, 'vault-behind'],
  ['a mark with a short name', { mark: 'abc 2 100\n', birth: 'born abc\n' }, 'vault-behind'],
  ['a mark with a long name', { mark: `${'a'.repeat(65)} 2 100\n`, birth: `born ${'a'.repeat(65)}\n` }, 'vault-behind'],
  ['a mark in capitals', { mark: `${OURS.toUpperCase()} 2 100\n` }, 'vault-behind'],
  ['a mark beyond ASCII', { mark: `${OURS} ２ 100\n` }, 'vault-behind'],
];

describe.each(SHELLS)('the guard as run by $name', (shell) => {
  it.each(TABLE)('%s', (_, changes, expected) => {
    lay({ ...HEALTHY, ...changes });
    expect(judged()).toBe(expected);
    expect(started(shell)).toBe(expected);
  });

  it('makes a started vault born', () => {
    lay({ ...HEALTHY, mark: `${OURS} 0 0\n`, birth: `unborn ${OURS}\n` });
    expect(started(shell)).toBe('clear');
    expect(readIfThere(join(dataDir, BIRTH_FILE))).toBe(`born ${OURS}\n`);
  });

  it.each([
    ['mark', () => join(configDir, CONFIG_FILE.mark)],
    ['birth file', () => join(dataDir, BIRTH_FILE)],
    ['manifest', () => join(dataDir, 'appendonlydir', 'appendonly.aof.manifest')],
    ['incremental file', () => join(dataDir, 'appendonlydir', INCREMENTAL)],
    ['base', () => join(dataDir, 'appendonlydir', BASE)],
  ])('holds when a folder stands in the place of the %s', (_, path) => {
    lay(HEALTHY);
    rmSync(path());
    mkdirSync(path());
    expect(started(shell)).toMatch(/^vault-(empty|behind)$/);
  });

  it(
    'agrees with judgeVault on every state',
    () => {
      const seen = new Map<string, number>();
      fc.assert(
        fc.property(states, (state) => {
          lay(state);
          const verdict = judged();
          seen.set(verdict, (seen.get(verdict) ?? 0) + 1);
          expect(started(shell)).toBe(verdict);
        }),
        { numRuns: RANDOM_STATES },
      );
      // Random states that are all refused would prove little.
      for (const verdict of ['clear', 'unmarked', 'vault-empty', 'vault-behind'])
        expect(seen.get(verdict)).toBeGreaterThan(3);
    },
    STATES_TIMEOUT_MS,
  );
});

const small = fc.constantFrom(0, 1, 2, 3, 99, 100, 101);
/** Around the healthy values, and now and then spoilt by one of the ways in which files get spoilt. */
const incarnations = fc.oneof({ weight: 9, arbitrary: fc.constant(OURS) }, fc.constant(THEIRS));
const spoilt = (texts: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc.oneof(
    { weight: 9, arbitrary: texts },
    fc.tuple(texts, fc.nat(120)).map(([text, at]) => text.slice(0, at)),
    fc
      .tuple(texts, fc.nat(80), fc.constantFrom('\r', '\n', ' ', '\t', '\0', '9', 'x', '-', '*', '"', 'é', '\\'))
      .map(([text, at, noise]) => text.slice(0, at) + noise + text.slice(at)),
    fc.tuple(texts, fc.nat(80)).map(([text, at]) => text.slice(0, at) + text.slice(at + 1)),
    texts.map((text) => text + text),
  );
const missingAtTimes = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: 9, arbitrary: values }, fc.constant(undefined));

const manifests = fc
  .array(
    fc
      .tuple(
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom('base.rdb', 'incr.aof'),
        fc.constantFrom('b', 'i', 'i', 'h'),
      )
      .map(([seq, kind, type]) => `file appendonly.aof.${String(seq)}.${kind} seq ${String(seq)} type ${type}\n`),
    { minLength: 1, maxLength: 4 },
  )
  .map((lines) => lines.join(''));

const states: fc.Arbitrary<State> = fc.record({
  mark: missingAtTimes(
    spoilt(
      fc
        .tuple(incarnations, fc.constantFrom(0, 0, 1, 2, 3), small)
        .map(([incarnation, seq, bytes]) => `${incarnation} ${String(seq)} ${String(bytes)}\n`),
    ),
  ),
  birth: missingAtTimes(
    spoilt(
      fc
        .tuple(fc.constantFrom('born', 'unborn'), incarnations)
        .map(([state, incarnation]) => `${state} ${incarnation}\n`),
    ),
  ),
  manifest: missingAtTimes(spoilt(fc.oneof(fc.constant(MANIFEST), manifests))),
  files: fc
    .array(fc.tuple(fc.constantFrom(1, 2, 3), fc.constantFrom('base.rdb', 'incr.aof'), small), { maxLength: 2 })
    .chain((some) =>
      fc.boolean().map((all) => {
        const every = [1, 2, 3].flatMap((seq) => ['base.rdb', 'incr.aof'].map((kind) => [seq, kind, 100] as const));
        return Object.fromEntries(
          [...(all ? every : []), ...some].map(([seq, kind, bytes]) => [
            `appendonly.aof.${String(seq)}.${kind}`,
            bytes,
          ]),
        );
      }),
    ),
});
