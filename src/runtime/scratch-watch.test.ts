import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mentioning, processStart } from '../../test/support/processes.js';
import { SCRATCH_LIFE_MS } from './runtime.js';
import { NAME_WORD, watchCommand } from './scratch-watch.js';

const SETTLE = { timeout: 5_000, interval: 20 };

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-watch-'));
});

afterAll(() => rm(folder, { recursive: true, force: true }));

/** A start script of this body; the name by which its processes are found. */
async function script(name: string, body: string): Promise<{ name: string; path: string }> {
  const path = join(folder, `${name}.sh`);
  await writeFile(path, `: ${name}\n${body}\n`);
  return { name: `nexus3-scratch-${name}`, path };
}

/** Processes that are not zombies of an init that does not reap. */
function alive(text: string): readonly number[] {
  return mentioning(text).filter((pid) => processStart(pid) !== undefined);
}

describe('the shell above a scratch server', () => {
  it('says how the server ended, and leaves nothing behind', async () => {
    const { name, path } = await script('ends', 'exit 7');
    const [program, ...args] = watchCommand(name, path);
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    expect(await once(child, 'exit')).toEqual([7, null]);
    await expect.poll(() => alive(name), SETTLE).toEqual([]);
    expect(args[NAME_WORD - 1]).toBe(name);
    expect(args.at(-1)).toBe(String(SCRATCH_LIFE_MS / 1_000));
  });

  it('ends the server when the one who started it is killed', async () => {
    const { name, path } = await script('orphaned', 'sleep 333.25; exit 0');
    const starter = `require('node:child_process').spawn(${JSON.stringify(watchCommand(name, path)[0])},
      ${JSON.stringify(watchCommand(name, path).slice(1))}, { detached: true, stdio: ['pipe', 'inherit', 'inherit'] });
      setInterval(() => undefined, 1000);`;
    const child = spawn(process.execPath, ['-e', starter], { stdio: 'ignore' });
    await expect.poll(() => alive('333.25').length, SETTLE).toBe(1);
    child.kill('SIGKILL');
    await expect.poll(() => [...alive('333.25'), ...alive(path)], SETTLE).toEqual([]);
  });

  it('ends the server after its time, whatever happens', async () => {
    const { name, path } = await script('long', "trap '' TERM INT HUP; sleep 444.25; exit 0");
    const [program, ...args] = watchCommand(name, path, 300);
    const child = spawn(program, args, { detached: true, stdio: ['pipe', 'ignore', 'ignore'] });
    expect(await once(child, 'exit')).toEqual([null, 'SIGKILL']);
    await expect.poll(() => [...alive('444.25'), ...alive(path)], SETTLE).toEqual([]);
  });

  it('does nothing in a process group that is not its own', async () => {
    const { name, path } = await script('foreign', 'exit 0');
    const [program, ...args] = watchCommand(name, path);
    const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'ignore'] });
    expect(await once(child, 'exit')).toEqual([70, null]);
  });
});
