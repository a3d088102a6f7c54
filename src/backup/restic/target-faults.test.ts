/** The place off this machine when something is not as it should be, with a real restic. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findOrInstall, RESTIC } from '../../../test/support/debian-program.js';
import { failureOf } from '../../../test/support/failure.js';
import { OffMachine } from '../../../test/support/off-machine.js';
import { BackupSecret } from '../backup-secret.js';

const isThere = await findOrInstall(RESTIC);
const TEST_TIMEOUT_MS = 60_000;

describe.runIf(isThere)('the target, where something is wrong', { timeout: TEST_TIMEOUT_MS }, () => {
  const off = new OffMachine();
  const { secret, open, write, push, pull, restic, resticThat, givenPushed } = off;

  it('takes away a lock that a killed run on this host has left, and waits for nobody', async () => {
    await givenPushed();
    const lock = await staleLock();
    await push();
    await expect(stat(lock)).rejects.toThrow('ENOENT');
  });

  /** restic is killed while it holds the repository for itself. */
  async function staleLock(): Promise<string> {
    const file = join(off.here.folder, 'password');
    await writeFile(file, new BackupSecret(secret).resticPassword().reveal());
    const child = execFile('restic', ['--repo', off.repository, '--password-file', file, '--no-cache', 'check']);
    const locks = join(off.repository, 'locks');
    for (;;) {
      // Not yet while it is written under another name.
      const lock = (await readdir(locks)).find((name) => /^[0-9a-f]{64}$/.test(name));
      if (lock === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 1));
        continue;
      }
      child.kill('SIGKILL');
      await once(child, 'close');
      return join(locks, lock);
    }
  }

  it('copies again what was changed while it was copied: the newest snapshot is whole', async () => {
    await givenPushed();
    const gone = await write(open());
    const path = await resticThat(
      `case " $* " in *" backup "*)
         [ -e ${off.here.folder}/once ] || { : > ${off.here.folder}/once; rm -r ${off.here.root}/track/${gone.id}; } ;; esac`,
    );
    await push({ path });
    const snapshots = JSON.parse(await restic(secret, 'snapshots', '--json')) as unknown[];
    expect(snapshots).toHaveLength(3);
  });

  it('says so where something cannot be read, although nothing was changed', async () => {
    await givenPushed();
    const path = await resticThat(
      `case " $* " in *" backup "*) echo '{"message_type":"summary","snapshot_id":"a","data_added":1}'; echo 'error: I/O' >&2; exit 3;; esac`,
    );
    expect(await failureOf(push({ path }))).toMatchObject({ code: 'RESTIC_FAILED', evidence: ['error: I/O'] });
  });

  it('brings the newest where there is no room for all, and leaves nothing half', async () => {
    await givenPushed();
    const newest = await write(open(), { createdAt: new Date('2026-01-09T12:00:00Z') });
    await push();
    const path = await resticThat(
      `case " $* " in *" restore "*) case " $* " in *${off.pushed.id}*)
         mkdir -p ${off.here.folder}/new/.pull.new; : > ${off.here.folder}/new/.pull.new/half
         echo 'write: no space left on device' >&2; exit 1;; esac;; esac`,
    );
    const root = join(off.here.folder, 'new');
    expect(await failureOf(pull({ root, path }))).toMatchObject({ code: 'DISK_FULL' });
    expect(await readdir(root)).toEqual(['track']);
    expect(await readdir(join(root, 'track'))).toEqual([newest.id]);
  });

  it('takes away what a pull that was killed has left, whatever comes next', async () => {
    await mkdir(join(off.here.root, '.pull.new', 'track'), { recursive: true });
    await (await open().acquire('backup create', () => undefined))[Symbol.asyncDispose]();
    expect(await readdir(off.here.root)).toEqual(['.lock']);
  });

  describe('says what is wrong', () => {
    it('where nothing is there', async () => {
      expect(await failureOf(pull())).toMatchObject({
        code: 'RESTIC_FAILED',
        message: 'There is no repository of restic at the target.',
      });
      expect(await failureOf(push())).toMatchObject({ code: 'BACKUP_NOT_FOUND' });
      await expect(stat(off.repository)).rejects.toThrow('ENOENT');
    });

    it('where it cannot be reached: then nothing is made there', async () => {
      await write(open());
      const error = await failureOf(push({ repository: 'rest:http://127.0.0.1:1/' }));
      expect(error).toMatchObject({ code: 'RESTIC_FAILED', message: 'The repository of restic cannot be opened.' });
      expect(error.evidence.join('\n')).toContain('connection refused');
    });

    it('where restic is not installed, or is too old, or is something else', async () => {
      await write(open());
      const path = join(off.here.folder, 'bin');
      await mkdir(path);
      expect(await failureOf(push({ path }))).toMatchObject({
        code: 'RESTIC_NOT_FOUND',
        hint: expect.stringContaining('apt install restic') as string,
      });
      await writeFile(join(path, 'restic'), '#!/bin/sh\necho "restic 0.12.1 compiled with go1.16 on linux/amd64"\n', {
        mode: 0o755,
      });
      expect((await failureOf(push({ path }))).message).toBe('restic is too old: nexus3 needs 0.14 or newer.');
      await writeFile(join(path, 'restic'), '#!/bin/sh\necho hello\n');
      expect((await failureOf(push({ path }))).message).toBe('What is named restic is another program.');
    });

    it('where it holds nothing of nexus3', async () => {
      await givenPushed();
      await restic(secret, 'forget', '--tag', 'nexus3', '--keep-tag', 'none', '--group-by', '').catch(() => undefined);
      for (const { id } of JSON.parse(await restic(secret, 'snapshots', '--json')) as { id: string }[])
        await restic(secret, 'forget', id);
      expect((await failureOf(pull())).message).toContain('holds nothing that nexus3 has pushed');
    });

    it('where restic does not restore what it lists', async () => {
      const path = join(off.here.folder, 'bin');
      await mkdir(path);
      const file = { type: 'file', path: '/track/20260108T120000Z-1a2b/dump.rdb', size: 3 };
      const lines = [
        ['version', 'restic 0.14.0 compiled'],
        ['snapshots', JSON.stringify([{ id: 'a'.repeat(64), time: '2026-01-08T12:00:00Z' }])],
        ['ls', JSON.stringify(file)],
      ].map(([command, text]) => `case " $* " in *" ${command ?? ''} "*) echo '${text ?? ''}';; esac`);
      await writeFile(join(path, 'restic'), ['#!/bin/sh', ...lines, ''].join('\n'), { mode: 0o755 });
      const error = await failureOf(pull({ path }));
      expect(error).toMatchObject({ code: 'RESTIC_FAILED', message: 'restic did not restore what it lists.' });
      expect(error.evidence).toEqual([`${file.path}: not there`]);
      expect(await open().environments()).toEqual([]);
    });
  });

  describe('the file of its secrets', () => {
    const environmentFile = (): string => join(off.here.folder, 'restic.env');

    it('reaches restic, and may name a repository whose address is secret', async () => {
      await givenPushed();
      await writeFile(environmentFile(), `# ours\nexport RESTIC_REPOSITORY="${off.repository}"\n`, { mode: 0o600 });
      await push({ repository: 'rest:https://host/', environmentFile: environmentFile() });
      expect(JSON.parse(await restic(secret, 'snapshots', '--json'))).toHaveLength(2);
    });

    it.each([
      ['is not there', undefined, 0o600, 'it is not there'],
      ['others can read', 'A=b\n', 0o640, 'its mode is 0640'],
      ['is no list of variables', 'A=b\nhunter2\n', 0o600, 'line 2 is not NAME=value'],
      [
        'sets the password',
        'RESTIC_PASSWORD=hunter2\n',
        0o600,
        'line 1: RESTIC_PASSWORD is not for you to set; nexus3 knows the password',
      ],
    ])('is refused where it %s', async (_, text, mode, evidence) => {
      await write(open());
      if (text !== undefined) await writeFile(environmentFile(), text, { mode });
      if (text !== undefined) await chmod(environmentFile(), mode);
      const error = await failureOf(push({ environmentFile: environmentFile() }));
      expect(error).toMatchObject({ code: 'CONFIG_INVALID', evidence: [evidence] });
      await expect(stat(off.repository)).rejects.toThrow('ENOENT');
    });
  });
});
