import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TRACK } from '../../test/support/facts.js';
import { TEST_CREDENTIALS } from '../../test/support/redis-server.js';
import { stillWorld } from '../../test/support/still-world.js';
import type { Role } from '../protocol/environment.js';
import { judgeVault, parseBirth, parseMark } from '../protocol/guard.js';
import type { UserOptions } from '../protocol/users.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import { specOf } from './desired.js';
import { readFolders } from './folder.js';
import { renderInstance } from './render.js';
import type { World } from './world.js';

const INC = 'a'.repeat(32);
const NOBODY = { uid: 65_534, gid: 65_534 };
const IS_ROOT = process.getuid?.() === 0;

let root: string;
let world: World;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-render-'));
  world = stillWorld(root);
});
afterEach(() => rmSync(root, { recursive: true }));

const specFor = (role: Role): InstanceSpec => specOf(world.configuration, TRACK, role);
const render = (role: Role, options?: UserOptions): Promise<void> =>
  renderInstance(world, TRACK, specFor(role), TEST_CREDENTIALS, options);
const textOf = (folder: string, name: string): string | undefined => {
  const path = join(folder, name);
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined;
};
const mark = (): string | undefined => textOf(specFor('vault').configDir, 'mark');
const birth = (): string | undefined => textOf(specFor('vault').dataDir, 'nexus3.birth');
const verdict = (): string => {
  const facts = readFolders(specFor('vault'), undefined);
  return judgeVault(facts.mark, facts.vault).state;
};

/** Writes what is said to lie there before. */
function given({ mark: markText, birth: birthText, aofBytes, snapshot }: Given): void {
  const { configDir, dataDir } = specFor('vault');
  const aof = join(dataDir, 'appendonlydir');
  mkdirSync(configDir, { recursive: true });
  mkdirSync(aofBytes === undefined ? dataDir : aof, { recursive: true });
  if (markText !== undefined) writeFileSync(join(configDir, 'mark'), markText);
  if (birthText !== undefined) writeFileSync(join(dataDir, 'nexus3.birth'), birthText);
  if (snapshot === true) writeFileSync(join(dataDir, 'dump.rdb'), 'REDIS');
  if (aofBytes === undefined) return;
  writeFileSync(join(aof, 'appendonly.aof.manifest'), 'file appendonly.aof.1.incr.aof seq 1 type i\n');
  writeFileSync(join(aof, 'appendonly.aof.1.incr.aof'), 'x'.repeat(aofBytes));
}

interface Given {
  readonly mark?: string;
  readonly birth?: string;
  readonly aofBytes?: number;
  readonly snapshot?: boolean;
}

describe('what is rendered', () => {
  it('is as planned: names, modes, nothing else; a second time changes nothing', async () => {
    for (const role of ['vault', 'operational'] as const) {
      await render(role);
      const { configDir, dataDir } = specFor(role);
      const names = ['health', 'redis.conf', 'start', 'users.acl'];
      expect(readdirSync(configDir).toSorted()).toEqual(role === 'vault' ? [...names, 'mark'].toSorted() : names);
      expect(readdirSync(dataDir)).toEqual(role === 'vault' ? ['nexus3.birth'] : []);
      const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);
      expect([configDir, dataDir].map(modeOf)).toEqual(['700', '700']);
      expect(['redis.conf', 'users.acl', 'start'].map((name) => modeOf(join(configDir, name)))).toEqual([
        '600',
        '600',
        '755',
      ]);
      const inodes = (): readonly number[] => readdirSync(configDir).map((name) => statSync(join(configDir, name)).ino);
      const before = inodes();
      await render(role);
      expect(inodes()).toEqual(before);
    }
  });

  it('takes the place of what was edited, and clears what a killed writer has left of it', async () => {
    await render('operational');
    const { configDir } = specFor('operational');
    const conf = join(configDir, 'redis.conf');
    const content = readFileSync(conf, 'utf8');
    writeFileSync(conf, 'edited');
    writeFileSync(`${conf}.4194305.new`, 'half');
    await render('operational');
    expect(readFileSync(conf, 'utf8')).toBe(content);
    expect(readdirSync(configDir).filter((name) => name.endsWith('.new'))).toEqual([]);
  });

  it.runIf(IS_ROOT)('belongs to the owner of the data, also when the data were given away later', async () => {
    const { configDir, dataDir } = specFor('vault');
    mkdirSync(dataDir, { recursive: true });
    chownSync(dataDir, NOBODY.uid, NOBODY.gid);
    await render('vault');
    const owners = (): readonly number[] =>
      [configDir, ...readdirSync(configDir).map((name) => join(configDir, name)), join(dataDir, 'nexus3.birth')].map(
        (path) => statSync(path).uid,
      );
    expect(new Set(owners())).toEqual(new Set([NOBODY.uid]));
    for (const path of [configDir, ...readdirSync(configDir).map((name) => join(configDir, name))])
      chownSync(path, 0, 0);
    await render('vault');
    expect(new Set(owners())).toEqual(new Set([NOBODY.uid]));
    expect(statSync(dirname(configDir)).uid).toBe(0);
  });

  it.runIf(IS_ROOT)('is never written or handed over through a link that the owner of the data has made', async () => {
    await render('vault');
    const { configDir, dataDir } = specFor('vault');
    const victim = join(root, 'victim');
    writeFileSync(victim, 'precious');
    rmSync(join(configDir, 'users.acl'));
    symlinkSync(victim, join(configDir, 'health2'));
    symlinkSync(victim, join(configDir, `users.acl.${String(process.pid)}.new`));
    rmSync(join(configDir, 'mark'));
    symlinkSync(victim, join(configDir, 'mark'));
    chownSync(dataDir, NOBODY.uid, NOBODY.gid);
    await render('vault');
    expect(readFileSync(victim, 'utf8')).toBe('precious');
    expect(statSync(victim).uid).toBe(0);
  });
});

describe('a vault is vouched for', () => {
  it.each<[string, Given, string]>([
    ['new: it may start empty, once', {}, 'clear'],
    ['killed between birth and mark', { birth: `unborn ${INC}\n` }, 'clear'],
    ['data, but neither mark nor birth', { aofBytes: 9 }, 'clear'],
    ['data and their birth, but no mark', { birth: `born ${INC}\n`, aofBytes: 9 }, 'clear'],
    ['as it was', { mark: `${INC} 1 9\n`, birth: `born ${INC}\n`, aofBytes: 9 }, 'clear'],
    ['emptied', { mark: `${INC} 1 9\n` }, 'held'],
    ['an older copy', { mark: `${INC} 1 9\n`, birth: `born ${INC}\n`, aofBytes: 8 }, 'held'],
    ['another’s folder', { mark: `${INC} 1 9\n`, birth: `born ${'b'.repeat(32)}\n`, aofBytes: 9 }, 'held'],
    ['no birth', { mark: `${INC} 0 0\n`, aofBytes: 9 }, 'held'],
    ['a mark that nobody can read', { mark: 'rubbish', birth: `born ${INC}\n`, aofBytes: 9 }, 'held'],
    ['born, but neither mark nor data', { birth: `born ${INC}\n` }, 'held'],
  ])('%s: then it is %s', async (_, before, expected) => {
    given(before);
    await render('vault');
    expect(verdict()).toBe(expected);
    if (before.mark !== undefined) expect([mark(), birth()]).toEqual([before.mark, before.birth]);
    if (before.birth !== undefined) expect(birth()).toBe(before.birth);
  });

  it('a new one is unborn and marked at nothing, data at where they are', async () => {
    await render('vault');
    const incarnation = parseMark(mark() ?? '')?.incarnation;
    expect(parseMark(mark() ?? '')).toEqual({ incarnation, seq: 0, bytes: 0 });
    expect(parseBirth(birth() ?? '')).toEqual({ state: 'unborn', incarnation });
    rmSync(join(root, 'track'), { recursive: true });
    given({ aofBytes: 9 });
    await render('vault');
    expect(parseMark(mark() ?? '')).toMatchObject({ seq: 1, bytes: 9 });
    expect(parseBirth(birth() ?? '')).toMatchObject({
      state: 'born',
      incarnation: parseMark(mark() ?? '')?.incarnation,
    });
  });

  it('birth first: cut off before the mark, the next run goes on with the same', async () => {
    const { configDir } = specFor('vault');
    // In the way of the mark.
    mkdirSync(join(configDir, 'mark', 'x'), { recursive: true });
    await expect(render('vault')).rejects.toThrow();
    const before = birth();
    expect(before).toMatch(/^unborn /);
    rmSync(join(configDir, 'mark'), { recursive: true });
    await render('vault');
    expect(birth()).toBe(before);
    expect(verdict()).toBe('clear');
  });

  it.each<[string, Given]>([
    ['never had any', {}],
    ['was about to be born', { birth: `unborn ${INC}\n` }],
  ])('not one without data beside an operational with data: it %s', async (_, before) => {
    given(before);
    const { dataDir } = specFor('operational');
    mkdirSync(dataDir, { recursive: true });
    writeFileSync(join(dataDir, 'dump.rdb'), 'REDIS');
    await expect(render('vault')).rejects.toMatchObject({ code: 'LAST_COPY' });
    expect([mark(), birth()]).toEqual([undefined, before.birth]);
  });

  it('not one that would start empty beside its own snapshot', async () => {
    given({ snapshot: true });
    await expect(render('vault')).rejects.toMatchObject({ code: 'LAST_COPY' });
    expect([mark(), birth()]).toEqual([undefined, undefined]);
  });
});

describe('a fence', () => {
  const isFenced = (): boolean => /^user replicator off /m.test(textOf(specFor('vault').configDir, 'users.acl') ?? '');

  it('is kept by everything that renders, until it is lifted on purpose', async () => {
    await render('vault', { fenced: true });
    expect(isFenced()).toBe(true);
    await render('vault');
    expect(isFenced()).toBe(true);
    await render('vault', { fenced: false });
    expect(isFenced()).toBe(false);
    await render('vault');
    expect(isFenced()).toBe(false);
  });

  it('vouches for nothing', async () => {
    await render('vault', { fenced: true });
    expect([mark(), birth()]).toEqual([undefined, undefined]);
  });
});
