import { fork } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  lstatSync,
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
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { clearHalfWrittenIn, makeFolder, readIfThere, writeFileWhole } from './files.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-files-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const MODE = 0o640;
/** Beyond the largest pid that Linux gives. */
const NO_PID = 4_194_305;
const modeOf = (path: string): number => statSync(path).mode & 0o777;

describe('a file written whole', () => {
  it('replaces what was there, with its mode whatever the umask says, and leaves nothing beside it', async () => {
    const path = join(root, 'users.acl');
    writeFileSync(path, 'old', { mode: 0o666 });
    const umask = process.umask(0o077);
    try {
      await writeFileWhole(path, 'new', { mode: MODE });
    } finally {
      process.umask(umask);
    }
    expect(readFileSync(path, 'utf8')).toBe('new');
    expect(modeOf(path)).toBe(MODE);
    expect(readdirSync(root)).toEqual(['users.acl']);
  });

  it('takes bytes as they are', async () => {
    const bytes = Buffer.from([0, 255, 10, 13]);
    await writeFileWhole(join(root, 'bytes'), bytes, { mode: MODE });
    expect(readFileSync(join(root, 'bytes')).equals(bytes)).toBe(true);
  });

  it('stays the old one when it cannot be replaced, and says what to do', async () => {
    mkdirSync(join(root, 'taken'));
    await expect(writeFileWhole(join(root, 'taken'), 'x', { mode: MODE })).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
      evidence: ['it is a folder'],
    });
    writeFileSync(join(root, 'file'), 'old');
    await expect(writeFileWhole(join(root, 'file', 'x'), 'x', { mode: MODE })).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
      exitCode: 1,
    });
    expect(readdirSync(root).sort()).toEqual(['file', 'taken']);
    expect(readFileSync(join(root, 'file'), 'utf8')).toBe('old');
  });

  it('clears what killed writers of the same file have left, and nothing that is being written', async () => {
    const path = join(root, 'conf');
    const gone = [`conf.${String(NO_PID)}.new`, `conf.${String(process.pid)}.new`];
    const others = [`conf.${String(process.ppid)}.new`, `other.${String(NO_PID)}.new`, 'conf.new'];
    for (const name of [...gone, ...others]) writeFileSync(join(root, name), '');
    await writeFileWhole(path, 'new', { mode: MODE });
    expect(readdirSync(root).toSorted()).toEqual(['conf', ...others].toSorted());
    await clearHalfWrittenIn([root, join(root, 'none'), path]);
    expect(readdirSync(root).toSorted()).toEqual(['conf', 'conf.new', `conf.${String(process.ppid)}.new`].toSorted());
  });

  it('is never written through a link', async () => {
    writeFileSync(join(root, 'victim'), 'precious');
    symlinkSync(join(root, 'victim'), join(root, `conf.${String(process.pid)}.new`));
    await writeFileWhole(join(root, 'conf'), 'new', { mode: MODE });
    expect(readFileSync(join(root, 'victim'), 'utf8')).toBe('precious');
    expect(lstatSync(join(root, 'conf')).isSymbolicLink()).toBe(false);
  });

  it('is the old or the new at every instant, also when the writer is killed', async () => {
    const path = join(root, 'conf');
    const [old, fresh] = ['o'.repeat(300_000), 'n'.repeat(300_000)];
    writeFileSync(path, old);
    for (const name of ['errors', 'files']) compileInto(root, name);
    const writer = join(root, 'writer.mjs');
    writeFileSync(
      writer,
      `import { writeFileWhole } from './files.js';
      for (let i = 0; ; i++) await writeFileWhole(${JSON.stringify(path)}, (i % 2 ? 'o' : 'n').repeat(300_000), { mode: 0o600 });`,
    );
    for (let round = 0; round < 3; round += 1) {
      const child = fork(writer, { execArgv: [], stdio: 'ignore' });
      const ended = once(child, 'exit');
      const until = Date.now() + 10_000;
      while (readFileSync(path, 'utf8') === old && Date.now() < until) await sleep(5);
      expect(child.exitCode).toBeNull();
      for (let look = 0; look < 50; look += 1) expect([old, fresh]).toContain(readFileSync(path, 'utf8'));
      child.kill('SIGKILL');
      await ended;
      expect([old, fresh]).toContain(readFileSync(path, 'utf8'));
      writeFileSync(path, old);
    }
  });
});

/** A process of its own needs JavaScript. */
function compileInto(folder: string, name: string): void {
  const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 },
  });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, `${name}.js`), outputText);
}

describe('a folder', () => {
  it('is made with its parents, and an existing one is left as it is', async () => {
    const path = join(root, 'a', 'b', 'c');
    await makeFolder(path, { mode: 0o700 });
    expect(modeOf(path)).toBe(0o700);
    chmodSync(path, 0o750);
    await makeFolder(path, { mode: 0o700 });
    expect(modeOf(path)).toBe(0o750);
  });

  it('cannot be made below a file', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(makeFolder(join(root, 'file', 'x'), { mode: 0o700 })).rejects.toMatchObject({
      code: 'FILE_NOT_WRITABLE',
    });
    expect(existsSync(join(root, 'file', 'x'))).toBe(false);
  });
});

describe('reading what may not be there', () => {
  it('is undefined where nothing is, and a failure where something else is wrong', async () => {
    writeFileSync(join(root, 'file'), 'text');
    expect(await readIfThere(join(root, 'file'))).toBe('text');
    expect(await readIfThere(join(root, 'none'))).toBeUndefined();
    expect(await readIfThere(join(root, 'file', 'below'))).toBeUndefined();
    await expect(readIfThere(root)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
