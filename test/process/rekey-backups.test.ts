/** Backups from before `locker rekey`: killed at any instant, and where their repository cannot be written. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/backup/backups.js';
import { chunksOf, newBackup } from '../support/backup-repository.js';
import { runCommand } from '../support/command.js';
import { Nexus } from '../support/nexus.js';
import { chance, instant, rounds, SEED } from '../support/random.js';

const KILLS_IN_CI = 3;
const KILLS_IN_SOAK = 60;
const MINUTE_MS = 60_000;

let nexus: Nexus;
const made: { readonly manifest: Manifest; readonly dump: Buffer }[] = [];

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  await nexus.report(0, 'up');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

const root = (): string => `${nexus.dataRoot}-backups`;

async function backUp(): Promise<void> {
  await using world = await nexus.world();
  const dump = randomBytes(1000);
  const createdAt = new Date(Date.UTC(2026, 0, 8, 12, 0, made.length));
  await using _held = await world.backups.acquire('backup create', () => undefined);
  made.push({ manifest: await world.backups.write(newBackup({ createdAt }), chunksOf(dump)), dump });
}

/** As a command that is run now would read them. */
async function allOpen(where: string): Promise<void> {
  await using world = await nexus.world();
  const listed = await world.backups.list('track');
  expect(
    listed.map(({ problem }) => problem?.message),
    where,
  ).toEqual(made.map(() => undefined));
  for (const { manifest, dump } of made) {
    const to = join(nexus.root, `extracted-${randomBytes(4).toString('hex')}`);
    await world.backups.extract(await world.backups.read('track', manifest.id), to, undefined);
    expect((await readFile(to)).equals(dump), `${where}: ${manifest.id}`).toBe(true);
    await rm(to);
  }
}

async function keyFiles(): Promise<readonly string[]> {
  return (await readdir(nexus.root)).filter((name) => /^root\.key(\.next|\.previous)?$/.test(name)).toSorted();
}

describe('locker rekey, where there are backups', () => {
  it('makes no repository where there is none', async () => {
    const { code, output } = await runCommand(nexus, ['locker', 'rekey']);
    expect(code, output).toBe(0);
    expect(await readdir(nexus.root)).not.toContain('data-backups');
  });

  it('takes them along: after two changes of the key the oldest still opens', async () => {
    for (const round of [1, 2, 3]) {
      await backUp();
      const { code, output } = await runCommand(nexus, ['locker', 'rekey']);
      expect(code, output).toBe(0);
      expect(output).toContain(`the backups of ${String(round)} earlier ${round === 1 ? 'key' : 'keys'}`);
      await allOpen(`after ${String(round)}`);
    }
  });

  it(
    'killed at any instant: they open all the while, and after it was run again',
    async () => {
      const kills = rounds(KILLS_IN_CI, KILLS_IN_SOAK);
      const random = chance(SEED);
      const usual = await runCommand(nexus, ['locker', 'rekey']);
      expect(usual.code, usual.output).toBe(0);
      let cut = 0;
      for (let kill = 0; kill < kills; kill += 1) {
        await backUp();
        const afterMs = Math.floor(instant(random, kill, kills, 0.25) * usual.ms);
        const where = `seed ${String(SEED)}, kill ${String(kill)}, after ${String(afterMs)} of ${usual.ms.toFixed(0)} ms`;
        await runCommand(nexus, ['locker', 'rekey'], afterMs);
        const left = (await keyFiles()).length > 1;
        if (left) cut += 1;
        await allOpen(`${where}: ${(await keyFiles()).join(' ')}`);
        if (left) await backUp();
        const again = await runCommand(nexus, ['locker', 'rekey']);
        expect(again.code, `${where}\n${again.output}`).toBe(0);
        expect(await keyFiles(), where).toEqual(['root.key']);
        await allOpen(`${where}, and run again`);
      }
      process.stderr.write(`rekey with backups: ${String(cut)} of ${String(kills)} kills left something to finish\n`);
    },
    rounds(KILLS_IN_CI, KILLS_IN_SOAK) * MINUTE_MS,
  );

  it('is refused before anything is changed, where their keys cannot be read or written', async () => {
    const key = await readFile(join(nexus.root, 'root.key'));
    const keys = await readFile(join(root(), 'keys.json'));
    const refused = async (said: string): Promise<void> => {
      const { code, output } = await runCommand(nexus, ['locker', 'rekey']);
      expect(code, output).toBe(1);
      expect(output).toContain(said);
      expect(await keyFiles()).toEqual(['root.key']);
      expect((await readFile(join(nexus.root, 'root.key'))).equals(key)).toBe(true);
    };
    await writeFile(join(root(), 'keys.json'), keys.subarray(0, 100));
    await refused('The keys of earlier backups cannot be read');
    await writeFile(join(root(), 'keys.json'), keys);
    // Also root may not write there.
    await rename(root(), `${root()}.moved`);
    await symlink('/proc/sys', root());
    await refused('cannot be written');
    await rm(root());
    await rename(`${root()}.moved`, root());
    await allOpen('put back');
  });

  it('cannot help after the key was lost: reset says that beforehand, the backups say it afterwards, and the old key brings them back', async () => {
    const path = join(nexus.root, 'root.key');
    await rename(path, `${path}.kept`);
    const asked = await runCommand(nexus, ['locker', 'reset'], undefined, 'no\n');
    expect(asked.output).toContain('The backups that there are belong to the lost root key');
    const { code, output } = await runCommand(nexus, ['locker', 'reset', '--yes']);
    expect(code, output).toBe(0);
    const listed = async (): Promise<readonly (string | undefined)[]> => {
      await using world = await nexus.world();
      return [...new Set((await world.backups.list('track')).map(({ problem }) => problem?.code))];
    };
    expect(await listed()).toEqual(['BACKUP_KEY_UNKNOWN']);
    // Another change of the key takes along what there is to take, and loses nothing of what may yet be found.
    expect((await runCommand(nexus, ['locker', 'rekey'])).code).toBe(0);
    expect(await listed()).toEqual(['BACKUP_KEY_UNKNOWN']);
    await rename(path, `${path}.anew`);
    await rename(`${path}.kept`, path);
    await allOpen('with the old key');
    await rename(path, `${path}.kept`);
    await rename(`${path}.anew`, path);
  });
});
