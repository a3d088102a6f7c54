import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, chown, link, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Nexus3Error } from '../errors.js';
import { loadRootKey, rootKeyPath } from './root-key-file.js';
import { RootKey } from './root-key.js';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-root-key-'));
  path = join(folder, 'etc', 'root.key');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function refusal(mayCreate = true): Promise<Nexus3Error> {
  const error: unknown = await loadRootKey(path, mayCreate).catch((caught: unknown) => caught);
  if (!(error instanceof Nexus3Error)) throw new Error(`not refused: ${String(error)}`);
  return error;
}

async function place(text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, text);
  await chmod(path, mode);
}

describe('where the root key lies', () => {
  const variables = { XDG_CONFIG_HOME: '/xdg' };
  it.each([
    [{ variables: { ...variables, NEXUS3_ROOT_KEY_FILE: '/k/key' }, configurationFile: '/c/nexus3.yaml' }, '/k/key'],
    [{ variables, configurationFile: '/c/nexus3.yaml' }, '/c/root.key'],
    [{ variables, configurationFile: undefined }, '/xdg/nexus3/root.key'],
  ])('%o → %s', (from, expected) => {
    expect(rootKeyPath(from)).toBe(expected);
  });

  it('is ~/.config without XDG_CONFIG_HOME, or with a relative one', () => {
    const none = rootKeyPath({ variables: {}, configurationFile: undefined });
    expect(none).toMatch(/\/\.config\/nexus3\/root\.key$/);
    expect(rootKeyPath({ variables: { XDG_CONFIG_HOME: 'x' }, configurationFile: undefined })).toBe(none);
  });
});

describe('making the root key', () => {
  it('happens only when asked for', async () => {
    expect(await refusal(false)).toMatchObject({ code: 'ROOT_KEY_MISSING', exitCode: 3 });
    expect(await readdir(folder)).toEqual([]);
  });

  it('leaves one closed file, and finds it again', async () => {
    const key = await loadRootKey(path, true);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(dirname(path))).mode & 0o777).toBe(0o700);
    expect(await readdir(dirname(path))).toEqual(['root.key']);
    expect((await loadRootKey(path, true)).equals(key)).toBe(true);
    expect((await loadRootKey(path, false)).equals(key)).toBe(true);
  });

  it('closes the file whatever the umask is', async () => {
    const before = process.umask(0);
    try {
      await loadRootKey(path, true);
    } finally {
      process.umask(before);
    }
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it('ends with one key when several begin at once', async () => {
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadRootKey(path, true)));
    const text = await readFile(path, 'utf8');
    expect(keys.map((key) => key.toText())).toEqual(keys.map(() => text));
    expect(await readdir(dirname(path))).toEqual(['root.key']);
  });

  it('clears away what a killed run left, also a second name of the key itself', async () => {
    const dead = await pidOfTheDead();
    await mkdir(dirname(path));
    await writeFile(`${path}.${String(dead)}-0a1b.new`, 'half');
    await loadRootKey(path, true);
    await link(path, `${path}.${String(dead)}-0a1b.new`);
    await loadRootKey(path, false);
    expect(await readdir(dirname(path))).toEqual(['root.key']);
  });

  it('says so when the folder cannot be written', async () => {
    await writeFile(join(folder, 'etc'), 'a file where the folder should be');
    path = join(folder, 'etc', 'nexus3', 'root.key');
    expect((await refusal()).code).toBe('FILE_NOT_WRITABLE');
  });
});

describe('a root key that must not be used', () => {
  it.each(['640', '604', '644', '620', '666'])('mode %s', async (mode) => {
    await place(RootKey.generate().toText(), Number.parseInt(mode, 8));
    expect(await refusal()).toMatchObject({ code: 'ROOT_KEY_UNSAFE' });
    expect((await refusal()).hint).toContain(`chmod 600 ${path}`);
  });

  it('a link, even to a good one', async () => {
    const real = join(folder, 'real.key');
    await writeFile(real, RootKey.generate().toText(), { mode: 0o600 });
    await mkdir(dirname(path));
    await symlink(real, path);
    expect((await refusal()).code).toBe('ROOT_KEY_UNSAFE');
  });

  it('a folder', async () => {
    await mkdir(path, { recursive: true });
    expect((await refusal()).code).toBe('ROOT_KEY_UNSAFE');
  });

  it.runIf(process.getuid?.() === 0)('a file of somebody else', async () => {
    await place(RootKey.generate().toText());
    await chown(path, 12_345, 12_345);
    expect(await refusal()).toMatchObject({ code: 'ROOT_KEY_UNSAFE', evidence: [expect.stringContaining('12345')] });
  });

  it.each([
    ['an empty file', '', 'empty'],
    ['half a key', RootKey.generate().toText().slice(0, 40), 'cut short'],
    ['something else', 'correct horse battery staple', 'format'],
    ['something large', 'x'.repeat(10_000), 'format'],
  ])('%s is invalid, not replaced, and not shown', async (_, text, said) => {
    await place(text);
    const error = await refusal();
    expect(error.code).toBe('ROOT_KEY_INVALID');
    const words = [error.message, error.hint, ...error.evidence].join('\n');
    expect(words).toContain(said);
    if (text !== '') expect(words).not.toContain(text.slice(18));
    expect(await readFile(path, 'utf8')).toBe(text);
  });
});

async function pidOfTheDead(): Promise<number> {
  const child = spawn('true');
  await once(child, 'exit');
  return child.pid ?? 0;
}
