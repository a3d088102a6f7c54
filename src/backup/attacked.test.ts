/** A repository that somebody else has had their hands on, or whose disk has: nothing of it is believed without proof. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chunksOf, newBackup, type TestRepository, testRepository } from '../../test/support/backup-repository.js';
import { Nexus3Error } from '../errors.js';
import type { Backups, Manifest } from './backups.js';

const SIZE = 200_000;
const ID = '20260108T120000Z-0000';

let repository: TestRepository;
let backups: Backups;
let first: Manifest;
let second: Manifest;

describe.each([
  ['as it is', false],
  ['encrypted', true],
])('a backup %s', (_how, encrypt) => {
  beforeEach(async () => {
    repository = await testRepository();
    repository.now = new Date('2026-01-08T14:00:00Z');
    backups = repository.open({}, { encrypt });
    first = await backups.write(newBackup(), chunksOf(randomBytes(SIZE)));
    second = await backups.write(
      newBackup({ createdAt: new Date('2026-01-08T13:00:00Z') }),
      chunksOf(randomBytes(SIZE)),
    );
  });
  afterEach(() => repository[Symbol.asyncDispose]());

  const folderOf = ({ env, id }: { env: string; id: string }): string => join(repository.root, env, id);
  const dumpOf = (manifest: Manifest): string => join(folderOf(manifest), manifest.snapshot.file);
  const manifestOf = (manifest: Manifest): string => join(folderOf(manifest), 'manifest.json');
  const codes = async (): Promise<readonly string[]> =>
    (await backups.list('track')).map(({ problem }) => problem?.code ?? 'believed');
  /** And nothing is left of what came out before it was found. */
  const extractFails = async (manifest: Manifest): Promise<Nexus3Error> => {
    const to = join(repository.folder, 'extracted.rdb');
    const error: unknown = await backups.extract(manifest, to, undefined).catch((thrown: unknown) => thrown);
    expect(await readdir(repository.folder)).toEqual(['backups']);
    if (error instanceof Nexus3Error) return error;
    throw error;
  };

  it('whose snapshot is another one of the same size is listed, and found out when it is read', async () => {
    const [one, two] = [await readFile(dumpOf(first)), await readFile(dumpOf(second))];
    await writeFile(dumpOf(first), two);
    await writeFile(dumpOf(second), one);
    expect(await codes()).toEqual(['believed', 'believed']);
    expect(await extractFails(first)).toMatchObject({ code: 'BACKUP_DAMAGED' });
    expect((await extractFails(second)).evidence).toEqual([
      expect.stringContaining(`track/${second.id}/${second.snapshot.file}`),
    ]);
  });

  it('with one bit changed anywhere in its snapshot is damaged', async () => {
    const good = await readFile(dumpOf(first));
    for (const at of [0, 30, 100, 150, 180, 220, SIZE / 2, good.length - 1]) {
      const bad = Buffer.from(good);
      bad[at] = (bad[at] ?? 0) ^ 0x10;
      await writeFile(dumpOf(first), bad);
      expect((await extractFails(first)).code, String(at)).toBe('BACKUP_DAMAGED');
    }
    await writeFile(dumpOf(first), good);
    await backups.extract(first, join(repository.folder, 'good.rdb'), undefined);
  });

  it('whose snapshot is cut short, longer, gone, a link, a folder or a pipe is no backup, in the list too', async () => {
    const good = await readFile(dumpOf(first));
    const isDamaged = async (what: string): Promise<void> => {
      expect(await codes(), what).toEqual(['believed', 'BACKUP_DAMAGED']);
      await expect(backups.read('track', first.id), what).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
      expect((await extractFails(first)).code, what).toBe('BACKUP_DAMAGED');
      await rm(dumpOf(first), { recursive: true, force: true });
    };
    await truncate(dumpOf(first), SIZE - 1);
    await isDamaged('short');
    await writeFile(dumpOf(first), Buffer.concat([good, Buffer.alloc(1)]));
    await isDamaged('long');
    await isDamaged('gone');
    await writeFile(join(repository.root, 'same'), good);
    await symlink(join(repository.root, 'same'), dumpOf(first));
    await isDamaged('link');
    await mkdir(dumpOf(first));
    await isDamaged('folder');
    await promisify(execFile)('mkfifo', [dumpOf(first)]);
    await isDamaged('pipe');
  });

  it('whose manifest is anything else is not believed', async () => {
    const good = await readFile(manifestOf(first), 'utf8');
    const bad: readonly (readonly [string, () => Promise<unknown>])[] = [
      ['empty', () => writeFile(manifestOf(first), '')],
      ['cut short', () => writeFile(manifestOf(first), good.slice(0, -20))],
      ['huge', () => truncate(manifestOf(first), 3 * 1024 ** 3)],
      ['of another backup', () => cp(manifestOf(second), manifestOf(first))],
      ['of other numbers', () => writeFile(manifestOf(first), good.replace('"offset": 4711', '"offset": 4712'))],
      ['without a MAC', () => writeFile(manifestOf(first), good.replace('"mac"', '"mack"'))],
      ['a link', () => rm(manifestOf(first)).then(() => symlink('/etc/passwd', manifestOf(first)))],
      ['gone', () => rm(manifestOf(first))],
      ['a folder', () => mkdir(manifestOf(first))],
    ];
    for (const [what, happen] of bad) {
      await happen();
      expect(await codes(), what).toEqual(['believed', 'BACKUP_INVALID']);
      await expect(backups.read('track', first.id), what).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
      const nothing = { content: null, verification: null };
      await expect(backups.record(first, nothing), what).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
    }
    await rm(manifestOf(first), { recursive: true });
    await writeFile(manifestOf(first), good);
    expect(await codes()).toEqual(['believed', 'believed']);
  });

  it('that was moved to another environment, or renamed, is not believed there', async () => {
    await cp(folderOf(first), folderOf({ env: 'web', id: first.id }), { recursive: true });
    await cp(folderOf(first), folderOf({ env: 'track', id: ID }), { recursive: true });
    await expect(backups.read('web', undefined)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
    await expect(backups.read('track', ID)).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
    expect((await codes()).toSorted()).toEqual(['BACKUP_INVALID', 'believed', 'believed']);
  });

  it('that is a link to a folder, a file, or lies in a linked environment is not followed, and removed as what it is', async () => {
    await rename(folderOf(first), join(repository.root, 'elsewhere'));
    await symlink(join(repository.root, 'elsewhere'), folderOf(first));
    expect(await codes()).toEqual(['believed', 'BACKUP_INVALID']);
    await backups.remove('track', first.id);
    expect((await readdir(join(repository.root, 'elsewhere'))).length).toBe(2);
    await writeFile(folderOf(first), 'a file');
    expect(await codes()).toEqual(['believed', 'BACKUP_INVALID']);
    await backups.remove('track', first.id);
    expect(await codes()).toEqual(['believed']);
    await symlink(join(repository.root, 'track'), join(repository.root, 'linked'));
    expect(await backups.environments()).toEqual(['track']);
    await expect(backups.read('linked', undefined)).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    const into = backups.write(newBackup({ env: 'linked' }), chunksOf(Buffer.alloc(1)));
    await expect(into).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
    expect(await readdir(join(repository.root, 'track'))).toEqual([second.id]);
  });

  it('that is the newest and bad is not passed over: its error names the one before', async () => {
    await truncate(dumpOf(second), 1);
    await expect(backups.read('track', undefined)).rejects.toMatchObject({
      code: 'BACKUP_DAMAGED',
      hint: expect.stringContaining(`--id ${first.id}`) as string,
    });
  });

  it('without the root key is listed with that as its problem', async () => {
    const missing = new Nexus3Error('ROOT_KEY_MISSING', 'There is no root key.', { hint: 'Put it back.' });
    const without = repository.open(() => Promise.reject(missing), { encrypt });
    expect((await without.list('track')).map(({ id, problem }) => [id, problem])).toEqual([
      [second.id, missing],
      [first.id, missing],
    ]);
    expect(await without.environments()).toEqual(['track']);
    await expect(without.read('track', first.id)).rejects.toBe(missing);
    await expect(without.write(newBackup(), chunksOf(Buffer.alloc(1)))).rejects.toBe(missing);
    expect((await readdir(join(repository.root, 'track'))).toSorted()).toEqual([first.id, second.id]);
    const defect = repository.open(() => Promise.reject(new Error('a defect')));
    await expect(defect.list('track')).rejects.toThrow('a defect');
  });

  it('is never extracted over what is there, and needs a folder to be extracted to', async () => {
    const to = join(repository.folder, 'there');
    await writeFile(to, 'kept');
    await expect(backups.extract(first, to, undefined)).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
    expect(await readFile(to, 'utf8')).toBe('kept');
    await rm(to);
    await symlink(join(repository.folder, 'target'), to);
    await expect(backups.extract(first, to, undefined)).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
    await expect(backups.extract(first, join(to, 'x', 'y'), undefined)).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
    });
    expect((await readdir(repository.folder)).toSorted()).toEqual(['backups', 'there']);
  });

  it('in a place that no name leads to is not looked for', async () => {
    for (const env of ['..', '../backups/track', 'track/../track', '', 'A']) {
      expect(await backups.list(env), env).toEqual([]);
      await expect(backups.read(env, first.id), env).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    }
    await expect(backups.read('track', '../track')).rejects.toMatchObject({ code: 'BACKUP_NOT_FOUND' });
    await expect(backups.remove('track', '../track')).rejects.toThrow(RangeError);
    expect(await codes()).toEqual(['believed', 'believed']);
  });

  it('is not lost to what is swept: only what was being made or removed is', async () => {
    const track = join(repository.root, 'track');
    await cp(folderOf(first), join(track, `.${ID}.new`), { recursive: true });
    await cp(folderOf(first), join(track, `.${ID}.gone`), { recursive: true });
    await writeFile(join(folderOf(first), 'manifest.json.999999999.new'), 'half');
    await writeFile(join(repository.root, 'keys.json.999999999.new'), 'half');
    await mkdir(join(track, 'history', ID), { recursive: true });
    await mkdir(join(track, '.somebody-elses'));
    expect(await codes()).toEqual(['believed', 'believed']);
    {
      await using _held = await backups.acquire('backup create', () => undefined);
    }
    expect((await readdir(track)).toSorted()).toEqual(['.somebody-elses', first.id, second.id, 'history'].toSorted());
    expect((await readdir(folderOf(first))).toSorted()).toEqual(
      ['dump.rdb', 'manifest.json'].map((name) => (name === 'dump.rdb' ? first.snapshot.file : name)),
    );
    expect((await readdir(repository.root)).toSorted()).toEqual(['.lock', 'track']);
    expect(await codes()).toEqual(['believed', 'believed']);
  });
});
