import fc from 'fast-check';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Change } from '../../test/support/facts.js';
import { differing, ended, folder, foreign, healthy, server, TRACK } from '../../test/support/facts.js';
import { isBefore, parseMark } from '../protocol/guard.js';
import { bookkeep, needsBookkeeping } from './bookkeep.js';
import type { EnvironmentFacts } from './facts.js';
import { readFolders } from './folder.js';

const INC = 'a'.repeat(32);
const CURRENT = 'redis 8.2.3 41603\n';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-bookkeep-'));
  for (const { spec } of both()) {
    mkdirSync(spec.configDir, { recursive: true });
    mkdirSync(join(spec.dataDir, 'appendonlydir'), { recursive: true });
    writeFileSync(join(spec.configDir, 'engine'), CURRENT);
  }
  lie(1, 50);
  writeMark(1, 10);
  writeFileSync(join(vault().spec.dataDir, 'nexus3.birth'), `born ${INC}\n`);
});
afterEach(() => rmSync(root, { recursive: true }));

const pair = (): EnvironmentFacts => healthy(TRACK, root);
const vault = () => pair().vault;
const both = () => [vault(), pair().operational ?? vault()];

/** The append-only file as it lies there. */
function lie(seq: number, bytes: number): void {
  const aof = join(vault().spec.dataDir, 'appendonlydir');
  const name = `appendonly.aof.${String(seq)}.incr.aof`;
  writeFileSync(join(aof, name), 'x'.repeat(bytes));
  writeFileSync(join(aof, 'appendonly.aof.manifest'), `file ${name} seq ${String(seq)} type i\n`);
}

function writeMark(seq: number, bytes: number): void {
  writeFileSync(join(vault().spec.configDir, 'mark'), `${INC} ${String(seq)} ${String(bytes)}\n`);
}

const markText = (): string => readFileSync(join(vault().spec.configDir, 'mark'), 'utf8');
const birthText = (): string => readFileSync(join(vault().spec.dataDir, 'nexus3.birth'), 'utf8');

/** As observed: the folders are what they are. */
function seen(...changes: readonly Change[]): EnvironmentFacts {
  const facts = pair();
  const read: Change = (one) => ({ ...one, vault: { ...one.vault, folder: readFolders(one.vault.spec, undefined) } });
  return [read, ...changes].reduce((result, change) => change(result), facts);
}

describe('the mark', () => {
  it('is raised to where a vault past the guard is', async () => {
    expect(needsBookkeeping(seen())).toBe(true);
    await bookkeep(seen());
    expect(markText()).toBe(`${INC} 1 50\n`);
    expect(needsBookkeeping(seen())).toBe(false);
  });

  it('comes with the birth: what has data is born', async () => {
    writeMark(0, 0);
    writeFileSync(join(vault().spec.dataDir, 'nexus3.birth'), `unborn ${INC}\n`);
    await bookkeep(seen());
    expect([markText(), birthText()]).toEqual([`${INC} 1 50\n`, `born ${INC}\n`]);
  });

  const older = folder('vault', { mark: { incarnation: INC, seq: 9, bytes: 0 } });
  it.each<[string, Change]>([
    ['does not run', ended('vault')],
    ['is a stranger’s', foreign('vault')],
    ['has its data in another folder', differing('vault', 'mount')],
    ['is a replica', server('vault', { role: 'replica' })],
    ['is held', older],
    ['is fenced', folder('vault', { fenced: true })],
    ['has no mark yet', folder('vault', { mark: undefined })],
    ['has a mark that nobody can read', folder('vault', { mark: 'unreadable' })],
  ])('stays where it is when the vault %s', async (_, change) => {
    await bookkeep(seen(change));
    expect(markText()).toBe(`${INC} 1 10\n`);
  });

  it('stays when the folder has become another’s since the look', async () => {
    const before = seen();
    writeFileSync(join(vault().spec.dataDir, 'nexus3.birth'), `born ${'b'.repeat(32)}\n`);
    lie(7, 70);
    await bookkeep(before);
    expect(markText()).toBe(`${INC} 1 10\n`);
  });

  it('never goes back, whatever lies there between the look and the pen', async () => {
    const position = fc.tuple(fc.integer({ min: 1, max: 3 }), fc.nat(60));
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(position, position), { maxLength: 4 }), async (steps) => {
        for (const [looked, later] of steps) {
          lie(...looked);
          const facts = seen();
          lie(...later);
          const before = parseMark(markText());
          await bookkeep(facts);
          const after = parseMark(markText());
          expect(before !== undefined && after !== undefined && !isBefore(after, before)).toBe(true);
        }
      }),
      { numRuns: 25 },
    );
  });
});

describe('the engine that wrote the data', () => {
  const recordOf = (role: 0 | 1): string | undefined => {
    const path = join(both()[role]?.spec.configDir ?? '', 'engine');
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  };
  const engine = (version: string) =>
    server('operational', { engine: { kind: 'redis', version, graphModule: 41_603 } });

  it.each<[string, Change, string]>([
    ['is recorded where nothing is', folder('operational', { engine: undefined }), CURRENT],
    ['is replaced by a newer one', engine('9.0.0'), 'redis 9.0.0 41603\n'],
    ['is never replaced by an older one', engine('7.4.0'), 'kept\n'],
    ['is left alone when it is the same', (facts) => facts, 'kept\n'],
  ])('%s', async (_, change, expected) => {
    writeFileSync(join(both()[1]?.spec.configDir ?? '', 'engine'), 'kept\n');
    await bookkeep(seen(change));
    expect(recordOf(1)).toBe(expected);
    expect(recordOf(0)).toBe(CURRENT);
  });
});
