import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configurationOf, environmentOf, LOCKER, TRACK } from '../../test/support/facts.js';
import { stillWorld } from '../../test/support/still-world.js';
import { SILENT } from '../progress.js';
import type { Environment } from '../protocol/environment.js';
import type { CreateOptions } from './create.js';
import { create } from './create.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-create-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const WRITTEN = 'the environment is chosen';

/** What `create` would write into nexus3.yaml; nothing is made. */
async function chosen(
  options: Partial<CreateOptions>,
  strangersOn: readonly number[] = [],
  environments = [TRACK, LOCKER],
): Promise<Environment> {
  let choice: Environment | undefined;
  const world = stillWorld(root, {
    configuration: configurationOf(root, environments),
    portHolder: (port) => Promise.resolve(strangersOn.includes(port) ? { port, pid: 42, command: 'nginx' } : undefined),
    addEnvironment: (environment) => {
      choice = environment;
      return Promise.reject(new Error(WRITTEN));
    },
  });
  try {
    await create(world, { name: 'notes', secure: false, ...options }, SILENT);
  } catch (error) {
    if (!(error instanceof Error) || error.message !== WRITTEN) throw error;
  }
  if (choice === undefined) throw new Error('nothing was chosen');
  return choice;
}

describe('the ports of a new environment', () => {
  it('are the next free pair', async () => {
    expect(await chosen({})).toEqual({ name: 'notes', kind: 'standard', vaultPort: 6600 });
    expect(await chosen({ secure: true })).toEqual({ name: 'notes', kind: 'secure', vaultPort: 6600 });
  });

  it('are passed over when a stranger has either of them', async () => {
    expect((await chosen({}, [6600])).vaultPort).toBe(6610);
    expect((await chosen({}, [6601, 6611])).vaultPort).toBe(6620);
    expect((await chosen({ secure: true }, [6601])).vaultPort).toBe(6600);
  });

  it('go on after the 66s, and end somewhere', async () => {
    const taken = (count: number) =>
      Array.from({ length: count }, (_, index) => environmentOf(`e${String(index)}`, 6600 + 10 * index, 'standard'));
    expect((await chosen({}, [], taken(10))).vaultPort).toBe(6700);
    await expect(chosen({}, [], taken(40))).rejects.toMatchObject({ code: 'PORT_TAKEN' });
    const everywhere = Array.from({ length: 500 }, (_, index) => 6600 + index);
    await expect(chosen({}, everywhere)).rejects.toMatchObject({ code: 'PORT_TAKEN' });
  });

  it('may be chosen', async () => {
    expect((await chosen({ vaultPort: 7000 })).vaultPort).toBe(7000);
    expect((await chosen({ vaultPort: 65_533 })).vaultPort).toBe(65_533);
    expect((await chosen({ vaultPort: 65_534, secure: true })).vaultPort).toBe(65_534);
  });

  it.each([1023, 0, 65_534, 70_000, 6600.5])('but not %d', async (vaultPort) => {
    await expect(chosen({ vaultPort })).rejects.toMatchObject({ code: 'PORT_INVALID', exitCode: 2 });
  });

  it('nor what a stranger has, who is named', async () => {
    await expect(chosen({ vaultPort: 7000 }, [7001])).rejects.toMatchObject({
      code: 'PORT_TAKEN',
      message: 'Port 7001 is taken by nginx, process 42.',
    });
  });
});

describe('a name', () => {
  it.each(['../x', 'a b', '$(id)', '', 'Notes', 'x'.repeat(300)])('%j is refused on one short line', async (name) => {
    const refusal = chosen({ name });
    await expect(refusal).rejects.toMatchObject({ code: 'NAME_INVALID', exitCode: 2 });
    await expect(refusal).rejects.toHaveProperty('message', expect.stringMatching(/^.{1,120}$/));
  });

  it.each<[string, Partial<CreateOptions>]>([
    ['of another kind', { name: 'track', secure: true }],
    ['on another port', { name: 'track', vaultPort: 7000 }],
    ['of Locker', { name: 'locker' }],
  ])('that is taken is refused: %s', async (_, options) => {
    await expect(chosen(options)).rejects.toMatchObject({ code: 'ENVIRONMENT_EXISTS', exitCode: 2 });
  });
});
