import type { ChildProcess } from 'node:child_process';
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lock, tryLock } from './lock.js';

let root: string;
const children: ChildProcess[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-lock-'));
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  rmSync(root, { recursive: true });
});

const ignore = (): void => undefined;
const dataRoot = (): string => join(root, 'data');

/** A process of its own that takes the lock and keeps it. It needs JavaScript. */
async function otherHolder(command: string): Promise<ChildProcess> {
  const folder = join(root, 'js');
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  for (const name of ['errors', 'lock']) {
    const source = readFileSync(new URL(`./${name}.ts`, import.meta.url), 'utf8');
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    writeFileSync(join(folder, `${name}.js`), ts.transpileModule(source, { compilerOptions }).outputText);
  }
  const holder = join(folder, 'holder.js');
  writeFileSync(
    holder,
    `import { lock } from './lock.js';
    globalThis.held = await lock(${JSON.stringify(dataRoot())}, ${JSON.stringify(command)}, () => undefined);
    process.send('held');
    setInterval(() => undefined, 1_000);`,
  );
  const child = fork(holder, { execArgv: [], stdio: 'ignore' });
  children.push(child);
  await once(child, 'message');
  return child;
}

describe('the lock of a data root', () => {
  it('is taken, kept from others of the same process too, and given back', async () => {
    const held = await tryLock(dataRoot(), 'up');
    expect(held?.path).toBe(join(dataRoot(), '.lock'));
    expect(await tryLock(dataRoot(), 'down')).toBeUndefined();
    await held?.[Symbol.asyncDispose]();
    await using again = await tryLock(dataRoot(), 'down');
    expect(again).toBeDefined();
  });

  it('held by another process: who it is is said, once while waiting and when giving up', async () => {
    const child = await otherHolder('recover track --vault');
    expect(await tryLock(dataRoot(), 'up')).toBeUndefined();
    const told: string[] = [];
    const waiting = lock(dataRoot(), 'up', (holder) => told.push(holder), 500);
    await expect(waiting).rejects.toMatchObject({ code: 'LOCK_HELD', exitCode: 1 });
    expect(told).toHaveLength(1);
    expect(told[0]).toContain('`nexus3 recover track --vault`');
    expect(told[0]).toContain(`process ${String(child.pid)}`);
  });

  it('is free the moment its holder is killed, and whoever waits has it', async () => {
    const child = await otherHolder('up');
    const waiting = lock(dataRoot(), 'check --fix', ignore, 10_000);
    child.kill('SIGKILL');
    await using held = await waiting;
    expect(readFileSync(held.path, 'utf8')).toContain('`nexus3 check --fix`');
  });

  it('is not kept by a server that its holder has started and left behind', async () => {
    const held = await tryLock(dataRoot(), 'up');
    children.push(spawn('sleep', ['30'], { detached: true, stdio: 'ignore' }));
    await held?.[Symbol.asyncDispose]();
    await using again = await tryLock(dataRoot(), 'up');
    expect(again).toBeDefined();
  });

  it('a holder that says little is not followed by the rest of one that said much', async () => {
    await (await tryLock(dataRoot(), 'x'.repeat(500)))?.[Symbol.asyncDispose]();
    await using held = await tryLock(dataRoot(), 'up');
    expect(readFileSync(held?.path ?? '', 'utf8')).toMatch(/^`nexus3 up` \(process \d+, since \S+\)$/);
  });

  it('cannot be taken below a file', async () => {
    writeFileSync(join(root, 'file'), '');
    await expect(tryLock(join(root, 'file', 'data'), 'up')).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
  });
});
