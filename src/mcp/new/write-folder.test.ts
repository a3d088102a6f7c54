import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.js';
import { placeOfNewFolder, writeFolderWhole } from './write-folder.js';

const FILES = new Map([
  ['a.txt', 'a'],
  ['src/deep/b.txt', 'b'],
]);
/** Of a process that is no more: pid_max is at most 2^22. */
const GONE = '4999999';

let root: string;
let path: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nexus3-folder-'));
  path = join(root, 'deep', 'new');
});
afterEach(() => rm(root, { recursive: true }));

const isWhole = async (folder: string): Promise<void> => {
  expect(await readFile(join(folder, 'a.txt'), 'utf8')).toBe('a');
  expect(await readFile(join(folder, 'src', 'deep', 'b.txt'), 'utf8')).toBe('b');
};

describe('a folder written whole', () => {
  it('is made with its parents, or takes the place of an empty one, and leaves nothing beside it', async () => {
    await writeFolderWhole(path, FILES);
    await isWhole(path);
    const empty = join(root, 'empty');
    await mkdir(empty);
    await writeFolderWhole(empty, FILES);
    await isWhole(empty);
    expect((await readdir(root)).toSorted()).toEqual(['deep', 'empty']);
  });

  it('overwrites nothing: neither what a folder holds nor a file', async () => {
    await mkdir(path, { recursive: true });
    await writeFile(join(path, 'mine'), 'kept');
    expect((await failureOf(writeFolderWhole(path, FILES))).code).toBe('FOLDER_NOT_EMPTY');
    expect(await readdir(path)).toEqual(['mine']);
    await writeFile(join(root, 'file'), 'kept');
    expect((await failureOf(writeFolderWhole(join(root, 'file'), FILES))).code).toBe('FOLDER_NOT_EMPTY');
    expect((await failureOf(placeOfNewFolder(join(root, 'file', 'below')))).code).toBe('FILE_NOT_WRITABLE');
    expect(await readFile(join(root, 'file'), 'utf8')).toBe('kept');
  });

  it('is one of two where two are at it', async () => {
    const two = await Promise.allSettled([writeFolderWhole(path, FILES), writeFolderWhole(path, FILES)]);
    expect(two.some(({ status }) => status === 'fulfilled')).toBe(true);
    await isWhole(path);
  });

  it('clears what a killed one has left of it, and nothing else', async () => {
    await mkdir(join(root, `.new.${GONE}.1.new`, 'src'), { recursive: true });
    await mkdir(join(root, `.other.${GONE}.1.new`));
    await mkdir(join(root, '.new.1.new'));
    await writeFolderWhole(join(root, 'new'), FILES);
    expect((await readdir(root)).toSorted()).toEqual(['.new.1.new', `.other.${GONE}.1.new`, 'new']);
  });

  it('goes where a link leads', async () => {
    await mkdir(join(root, 'there'));
    await symlink(join(root, 'there'), join(root, 'link'));
    expect(await placeOfNewFolder(join(root, 'link'))).toBe(join(root, 'there'));
  });
});
