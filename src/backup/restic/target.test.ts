/** The place off this machine, with a real restic and a repository in a folder. */
import { randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chunksOf, newBackup, someSecret } from '../../../test/support/backup-repository.js';
import { findOrInstall, RESTIC } from '../../../test/support/debian-program.js';
import { failureOf } from '../../../test/support/failure.js';
import { OffMachine } from '../../../test/support/off-machine.js';
import { weakenKeys } from '../../../test/support/weak-restic-key.js';
import { BackupSecret } from '../backup-secret.js';
import { DEFAULT_BACKUP } from '../../config/schema.js';
import { ArchiveFolder } from '../history/archive-folder.js';
import { openSealing } from '../sealing.js';

const isThere = await findOrInstall(RESTIC);
const LINEAGE = 'a1'.repeat(16);
const TEST_TIMEOUT_MS = 60_000;

describe.runIf(isThere)('the target', { timeout: TEST_TIMEOUT_MS }, () => {
  const off = new OffMachine();
  const { secret, open, write, push, pull, targetOf, resticThat, givenPushed } = off;

  it('takes everything, and gives it back on a machine whose root is elsewhere', async () => {
    await givenPushed();
    const [first, second] = [off.pushed, await write(open(), { env: 'web' })];
    await mkdir(join(off.here.root, 'track', 'history', LINEAGE), { recursive: true });
    await writeFile(join(off.here.root, 'track', 'history', LINEAGE, 'index.json'), 'history');
    await writeFile(join(off.here.root, 'track', 'history', LINEAGE, '.somebodys'), 'not ours');
    await mkdir(join(off.here.root, 'track', '.20260108T120000Z-ffff.new'));
    await writeFile(join(off.here.root, 'track', '.20260108T120000Z-ffff.new', 'dump.rdb'), 'half');
    const fractions: number[] = [];
    const { bytesAdded } = await targetOf({}).push((fraction) => fractions.push(fraction));
    expect(bytesAdded).toBeGreaterThan(100_000);
    expect(fractions.length).toBeGreaterThan(0);

    const root = join(off.here.folder, 'another', 'root');
    const there = open({ root });
    expect(await pull({ root })).toEqual({ files: 5, damaged: [] });
    expect(await there.environments()).toEqual(['track', 'web']);
    expect(await there.read('track', undefined)).toEqual(first);
    expect(await there.read('web', second.id)).toEqual(second);
    await there.extract(first, join(off.here.folder, 'out.rdb'), undefined);
    expect(await readFile(join(root, 'track', 'history', LINEAGE, 'index.json'), 'utf8')).toBe('history');
    expect(await readdir(join(root, 'track', 'history', LINEAGE))).toEqual(['index.json']);
    expect((await readdir(join(root, 'track'))).sort()).toEqual([first.id, 'history']);
    expect(await readdir(root)).toEqual(['track', 'web']);
    expect((await stat(join(root, 'track', first.id))).mode & 0o777).toBe(0o700);
    expect((await stat(join(root, 'track', first.id, 'dump.rdb'))).mode & 0o777).toBe(0o600);
  });

  it('tells nobody the password: it is in no argument, no environment and no file', async () => {
    await givenPushed();
    await open().write(newBackup({ env: 'web' }), chunksOf(randomBytes(20_000_000)));
    const password = new BackupSecret(secret).resticPassword().reveal();
    const before = await readdir(tmpdir());
    const watch = new AbortController();
    const seen = shownByRestic(off.here.root, watch.signal);
    await push();
    watch.abort();
    const shown = await seen;
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.join('\n')).toContain('--password-file');
    expect(shown.join('\n')).not.toContain(password);
    expect(
      (await readdir(tmpdir())).filter((name) => /^nexus3-[A-Za-z0-9]{6}$/.test(name) && !before.includes(name)),
    ).toEqual([]);
  });

  it('brings what is missing or damaged, for those that are named, and replaces nothing that can be used', async () => {
    await givenPushed();
    const backups = open();
    const track = (...names: readonly string[]): string => join(off.here.root, 'track', ...names);
    const [lost, cut, rotten, lying] = [
      await write(backups),
      await write(backups),
      await write(backups),
      await write(backups),
    ];
    const other = await write(backups, { env: 'web' });
    await writeFile(join(off.here.root, 'keys.json'), 'spoiled when it was pushed');
    await push();
    // Of later than the copy, and sound.
    const counted = { databases: [{ db: 0, keys: 10, expiring: 1 }], graphs: [] };
    const kept = await backups.record(off.pushed, { content: counted, verification: null });
    await backups.remove('track', lost.id);
    await backups.remove('web', other.id);
    await writeFile(track(cut.id, 'dump.rdb'), 'cut short');
    await flipBit(track(rotten.id, 'dump.rdb'));
    await flipBit(track(lying.id, 'manifest.json'));

    const shallow = await targetOf({}).pull(['track']);
    expect(shallow).toEqual({ files: 6, damaged: ['keys.json'] });
    expect(await pull({}, ['track'])).toEqual({ files: 2, damaged: ['keys.json'] });
    for (const one of [lost, cut, rotten, lying]) {
      expect(await backups.read('track', one.id)).toEqual(one);
      await backups.extract(one, join(off.here.folder, one.id), undefined);
    }
    expect(await backups.read('track', kept.id)).toEqual(kept);
    expect(await backups.environments()).toEqual(['track']);
    expect((await readdir(off.here.root)).sort()).toEqual(['keys.json', 'track', 'web']);
  });

  it('brings what a history went on with, where this machine has lost it, and never less', async () => {
    await givenPushed();
    const sealing = openSealing(DEFAULT_BACKUP, () =>
      Promise.resolve({ present: new BackupSecret(secret), earlier: [], fault: undefined }),
    );
    const history = new ArchiveFolder(off.here.root, 'track', sealing);
    const folder = join(off.here.root, 'track', 'history', LINEAGE);
    const reaching = (coveredTo: number, closed: boolean): Promise<void> =>
      history.write(folder, {
        env: 'track',
        incarnation: LINEAGE,
        since: 1_000,
        closed,
        stretches: [{ coveredTo, certainFrom: undefined, bases: [], writes: [] }],
      });
    await mkdir(folder, { recursive: true });
    await reaching(2_000, true);
    await push();
    await reaching(1_500, false);
    expect(await pull()).toEqual({ files: 1, damaged: [] });
    expect((await history.lineages())[0]?.index?.stretches[0]?.coveredTo).toBe(2_000);
    await reaching(2_500, false);
    expect(await pull()).toEqual({ files: 0, damaged: [] });
  });

  it('also brings what an empty machine has pushed over: the newest of each host is looked at', async () => {
    await givenPushed();
    const root = join(off.here.folder, 'new', 'root');
    await write(open({ root }), { env: 'web' });
    await push({ root });
    await pull({ root });
    expect(await open({ root }).read('web', undefined)).toMatchObject({ env: 'web' });
    expect(await open({ root }).read('track', undefined)).toEqual(off.pushed);
  });

  it('adds only what is new', async () => {
    await givenPushed();
    await write(open());
    const { bytesAdded } = await push();
    expect(bytesAdded).toBeGreaterThan(100_000);
    expect(bytesAdded).toBeLessThan(130_000);
  });

  describe('after the root key was changed', () => {
    const next = someSecret();

    const keysLeft = (): Promise<readonly string[]> => readdir(join(off.repository, 'keys'));

    it('puts the present password in place of the earlier one, as far as the target lets it', async () => {
      const secrets = { present: next, previous: secret };
      await givenPushed();
      const [earlier = ''] = await keysLeft();
      await push({ secrets });
      expect(await keysLeft()).toHaveLength(1);
      expect(await keysLeft()).not.toContain(earlier);
      await weakenKeys(off.repository, new BackupSecret(next).resticPassword().reveal());

      // As a run leaves it that is cut off between the two; and then nobody may remove a key.
      await cp(join(off.template.folder, 'off', 'keys', earlier), join(off.repository, 'keys', earlier));
      const refusing = `case " $* " in *" key remove "*) echo 'Fatal: 403 Forbidden' >&2; exit 1;; esac`;
      const notes: string[] = [];
      await targetOf({ secrets, path: await resticThat(refusing) }).push(undefined, (note) => notes.push(note));
      expect(notes).toEqual([expect.stringMatching(/^An earlier root key still opens .*\(Fatal: 403 Forbidden\)$/)]);
      expect(await keysLeft()).toHaveLength(2);
      await push({ secrets });
      expect(await keysLeft()).toHaveLength(1);
      expect(await keysLeft()).not.toContain(earlier);
    });

    it('only reads when it fetches', async () => {
      await givenPushed();
      const root = join(off.here.folder, 'new');
      await pull({ root, secrets: { present: next, previous: secret } });
      expect(await readdir(join(off.repository, 'keys'))).toHaveLength(1);
    });

    it('says so where none of them opens it', async () => {
      await givenPushed();
      const error = await failureOf(push({ secrets: { present: next } }));
      expect(error).toMatchObject({
        code: 'RESTIC_FAILED',
        message: expect.stringContaining('None of the passwords') as string,
      });
    });
  });
});

async function flipBit(path: string): Promise<void> {
  const bytes = await readFile(path);
  bytes[10] = (bytes[10] ?? 0) ^ 1;
  await writeFile(path, bytes);
}

/** What anybody of this user can read of a restic that works in a folder, again and again until it is enough. */
async function shownByRestic(folder: string, enough: AbortSignal): Promise<readonly string[]> {
  const shown = new Set<string>();
  while (!enough.aborted) {
    for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
      try {
        if ((await readlink(`/proc/${pid}/cwd`)) !== folder) continue;
        for (const name of ['cmdline', 'environ']) {
          shown.add((await readFile(`/proc/${pid}/${name}`, 'utf8')).replaceAll('\0', ' '));
        }
      } catch {
        // It has ended meanwhile.
      }
    }
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return [...shown];
}
