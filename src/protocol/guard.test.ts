import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Birth, Mark, VaultFolder } from './guard.js';
import {
  isBefore,
  judgeVault,
  parseAofManifest,
  parseBirth,
  parseMark,
  raiseMark,
  readAofPosition,
  renderBirth,
  renderMark,
} from './guard.js';

const OURS = 'a'.repeat(32);
const THEIRS = 'b'.repeat(32);
const NUMBER_MAX = 999_999_999_999_999;

const incarnations = fc.constantFrom(OURS, THEIRS);
const positions = fc.record({
  seq: fc.oneof(fc.nat(3), fc.nat(NUMBER_MAX)),
  bytes: fc.oneof(fc.nat(3), fc.nat(NUMBER_MAX)),
});
const marks: fc.Arbitrary<Mark> = fc
  .tuple(incarnations, positions)
  .map(([incarnation, position]) => ({ incarnation, ...position }));
const births: fc.Arbitrary<Birth> = fc.record({
  state: fc.constantFrom('born', 'unborn'),
  incarnation: incarnations,
});
const folders: fc.Arbitrary<VaultFolder> = fc.record({
  birth: fc.option(births, { nil: undefined }),
  aof: fc.option(
    fc
      .tuple(positions, fc.subarray(['appendonly.aof.1.base.rdb']))
      .map(([position, missingFiles]) => ({ ...position, missingFiles })),
    { nil: undefined },
  ),
});

const whole = (seq: number, bytes: number) => ({ seq, bytes, missingFiles: [] });
const born: Birth = { state: 'born', incarnation: OURS };
const unborn: Birth = { state: 'unborn', incarnation: OURS };
const mark: Mark = { incarnation: OURS, seq: 3, bytes: 500 };
const fresh: Mark = { incarnation: OURS, seq: 0, bytes: 0 };

describe('the last-copy guard', () => {
  it.each<[string, Mark | 'unreadable' | undefined, VaultFolder, string]>([
    ['nothing was ever here', undefined, { birth: undefined, aof: undefined }, 'new'],
    ['data, but no mark', undefined, { birth: undefined, aof: whole(1, 9) }, 'unmarked'],
    ['killed between birth and mark', undefined, { birth: unborn, aof: undefined }, 'unmarked'],
    ['a new vault', fresh, { birth: unborn, aof: undefined }, 'clear'],
    ['where it was', mark, { birth: born, aof: whole(3, 500) }, 'clear'],
    ['further in the same file', mark, { birth: born, aof: whole(3, 501) }, 'clear'],
    ['a rewrite later', mark, { birth: born, aof: whole(4, 0) }, 'clear'],
    ['emptied', mark, { birth: undefined, aof: undefined }, 'vault-empty birth-missing'],
    ['birth file gone, data there', mark, { birth: undefined, aof: whole(3, 500) }, 'vault-empty birth-missing'],
    [
      'another vault’s folder',
      mark,
      { birth: { ...born, incarnation: THEIRS }, aof: whole(9, 9) },
      'vault-empty birth-foreign',
    ],
    ['append-only file gone', mark, { birth: born, aof: undefined }, 'vault-empty aof-missing'],
    ['append-only file gone before the first mark', fresh, { birth: born, aof: undefined }, 'vault-empty aof-missing'],
    [
      'unborn by its file, but the mark has seen data',
      mark,
      { birth: unborn, aof: undefined },
      'vault-empty aof-missing',
    ],
    [
      'one file gone',
      mark,
      { birth: born, aof: { seq: 3, bytes: 500, missingFiles: ['x'] } },
      'vault-empty aof-incomplete',
    ],
    ['an older copy, same file', mark, { birth: born, aof: whole(3, 499) }, 'vault-behind aof-older'],
    ['an older copy, before a rewrite', mark, { birth: born, aof: whole(2, 9999) }, 'vault-behind aof-older'],
    ['a mark nobody can read', 'unreadable', { birth: born, aof: whole(9, 9) }, 'vault-behind mark-unreadable'],
  ])('%s', (_, known, folder, expected) => {
    const verdict = judgeVault(known, folder);
    expect(verdict.state === 'held' ? `${verdict.code} ${verdict.cause}` : verdict.state).toBe(expected);
  });

  it('never clears a folder whose birth file is gone, or that is emptied', () => {
    fc.assert(
      fc.property(fc.option(marks, { nil: undefined }), folders, (known, folder) => {
        expect(judgeVault(known, { ...folder, birth: undefined }).state).not.toBe('clear');
        expect(judgeVault(known, { birth: undefined, aof: undefined }).state).toBe(
          known === undefined ? 'new' : 'held',
        );
      }),
    );
  });

  it('clears what it cleared also against an earlier mark, and never against a later one than the data', () => {
    fc.assert(
      fc.property(marks, positions, folders, (known, other, folder) => {
        const verdict = judgeVault(known, folder);
        if (verdict.state === 'clear' && isBefore(other, known)) {
          expect(judgeVault({ ...known, ...other }, folder).state).toBe('clear');
        }
        if (folder.aof !== undefined && isBefore(folder.aof, known)) expect(verdict.state).toBe('held');
      }),
    );
  });

  it('has a detail for a person with everything it holds', () => {
    fc.assert(
      fc.property(marks, folders, (known, folder) => {
        const verdict = judgeVault(known, folder);
        if (verdict.state === 'held') expect(verdict.detail.length).toBeGreaterThan(10);
      }),
    );
  });
});

describe('the mark', () => {
  it('comes back as it was written', () => {
    fc.assert(
      fc.property(marks, births, (known, birth) => {
        expect(parseMark(renderMark(known))).toEqual(known);
        expect(parseBirth(renderBirth(birth))).toEqual(birth);
      }),
    );
  });

  it('is not believed when its end is missing', () => {
    fc.assert(
      fc.property(marks, births, fc.nat(200), (known, birth, length) => {
        const [markText, birthText] = [renderMark(known), renderBirth(birth)];
        if (length < markText.length) expect(parseMark(markText.slice(0, length))).toBeUndefined();
        if (length < birthText.length) expect(parseBirth(birthText.slice(0, length))).toBeUndefined();
      }),
    );
  });

  it('never goes back', () => {
    fc.assert(
      fc.property(marks, positions, (known, seen) => {
        const raised = raiseMark(known, seen);
        expect(isBefore(raised, known)).toBe(false);
        expect(isBefore(raised, seen)).toBe(false);
        expect(raised.incarnation).toBe(known.incarnation);
      }),
    );
  });
});

describe('the manifest', () => {
  const base = 'file appendonly.aof.2.base.rdb seq 2 type b\n';
  const incremental = 'file appendonly.aof.4.incr.aof seq 4 type i\n';

  it('tells how far the newest incremental file has come; history does not count', () => {
    const entries = parseAofManifest(`${base}file appendonly.aof.3.incr.aof seq 3 type h\n${incremental}`);
    const sizes: Readonly<Record<string, number>> = { 'appendonly.aof.2.base.rdb': 88, 'appendonly.aof.4.incr.aof': 7 };
    expect(readAofPosition(entries, (file) => sizes[file])).toEqual({ seq: 4, bytes: 7, missingFiles: [] });
  });

  it('names what is gone, and an empty base', () => {
    const missing = ['appendonly.aof.2.base.rdb', 'appendonly.aof.4.incr.aof'];
    const entries = parseAofManifest(base + incremental);
    expect(readAofPosition(entries, () => undefined).missingFiles).toEqual(missing);
    expect(readAofPosition(entries, () => 0)).toEqual({ seq: 4, bytes: 0, missingFiles: missing.slice(0, 1) });
  });

  it('may carry further fields', () => {
    expect(parseAofManifest('file appendonly.aof.1.incr.aof seq 1 type i startoffset 5 endoffset 9\n')).toHaveLength(1);
  });

  it.each([
    '',
    '\n',
    base.trimEnd(),
    `${base}\n`,
    base.replace('\n', '\r\n'),
    base.replace('seq 2', 'seq'),
    base.replace('seq 2', 'seq 1234567890123456'),
    base.replace('seq 2', 'seq -1'),
    base.replace('type b', 'type x'),
    base.replace('type b', 'type bb'),
    base.replace('appendonly.aof.2', '../appendonly.aof.2'),
    base.replace('appendonly.aof.2.base.rdb', '"appendonly.aof.2 base.rdb"'),
    `${base}rubbish\n`,
  ])('%j is not believed, not even in part', (text) => {
    expect(parseAofManifest(text)).toBeUndefined();
    expect(readAofPosition(undefined, () => 100)).toMatchObject({ missingFiles: ['appendonly.aof.manifest'] });
  });
});
