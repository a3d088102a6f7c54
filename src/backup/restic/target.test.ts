/** The place off this machine, with a real restic and a repository in a folder. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, cp, mkdir, readdir, readFile, readlink, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  chunksOf,
  newBackup,
  someSecret,
  type TestRepository,
  testRepository,
} from '../../../test/support/backup-repository.js';
import { findOrInstall, RESTIC } from '../../../test/support/debian-program.js';
import { failureOf } from '../../../test/support/failure.js';
import { weakenKeys } from '../../../test/support/weak-restic-key.js';
import type { BackupTarget } from '../../config/configuration.js';
import type { Backups, Manifest } from '../backups.js';
import { BackupSecret } from '../backup-secret.js';
import type { RootSecrets } from '../stored-keys.js';
import { ArchiveFolder } from '../history/archive-folder.js';
import { openSealing } from '../sealing.js';
import { openBackups } from '../stored-backups.js';
import { DEFAULT_BACKUP } from '../../config/schema.js';

const exec = promisify(execFile);
const isThere = await findOrInstall(RESTIC);
const LINEAGE = 'a1'.repeat(16);
const TEST_TIMEOUT_MS = 60_000;

describe.runIf(isThere)('the target', { timeout: TEST_TIMEOUT_MS }, () => {
  let here: TestRepository;
  let repository: string;
  const secret = someSecret();

  let template: TestRepository;
  let pushed: Manifest;

  /** Making a repository takes restic a second: most stories begin with a copy of one, and of the backup in it. */
  beforeAll(async () => {
    template = await testRepository();
    here = template;
    repository = join(here.folder, 'off');
    pushed = await write(open());
    await push();
    await weakenKeys(repository, new BackupSecret(secret).resticPassword().reveal());
  });
  afterAll(() => template[Symbol.asyncDispose]());
  beforeEach(async () => {
    here = await testRepository();
    repository = join(here.folder, 'off');
  });
  afterEach(() => here[Symbol.asyncDispose]());
  const givenPushed = (): Promise<void> => cp(template.folder, here.folder, { recursive: true });

  interface Where extends Partial<BackupTarget> {
    readonly root?: string;
    readonly secrets?: Partial<RootSecrets>;
    readonly path?: string;
  }

  function open({ root = here.root, secrets = {}, path, ...target }: Where = {}): Backups {
    const { PATH, HOME } = process.env;
    return openBackups(
      { ...DEFAULT_BACKUP, root, target: { repository, environmentFile: undefined, ...target } },
      {
        secrets: () => Promise.resolve({ present: secret, next: undefined, previous: undefined, ...secrets }),
        now: () => new Date('2026-01-08T12:00:02Z'),
        variables: { PATH: path ?? PATH, HOME, XDG_CACHE_HOME: join(here.folder, 'cache') },
      },
    );
  }

  const write = (backups: Backups, changes: Parameters<typeof newBackup>[0] = {}): Promise<Manifest> =>
    backups.write(newBackup(changes), chunksOf(randomBytes(100_000)));
  const push = (where: Where = {}): Promise<{ readonly bytesAdded: number }> => targetOf(where).push();
  const pull = async (where: Where = {}, envs: readonly string[] = []): Promise<{ readonly files: number }> =>
    targetOf(where).pull(envs, undefined, true);
  function targetOf(where: Where): NonNullable<Backups['target']> {
    const { target } = open(where);
    if (target === undefined) throw new Error('there is one');
    return target;
  }
  async function restic(password: typeof secret, ...args: readonly string[]): Promise<string> {
    const file = join(here.folder, 'password');
    await writeFile(file, new BackupSecret(password).resticPassword().reveal());
    const flags = ['--repo', repository, '--password-file', file, '--no-cache'];
    return (await exec('restic', [...flags, ...args])).stdout;
  }

  it('takes everything, and gives it back on a machine whose root is elsewhere', async () => {
    await givenPushed();
    const [first, second] = [pushed, await write(open(), { env: 'web' })];
    await mkdir(join(here.root, 'track', 'history', LINEAGE), { recursive: true });
    await writeFile(join(here.root, 'track', 'history', LINEAGE, 'index.json'), 'history');
    await writeFile(join(here.root, 'track', 'history', LINEAGE, '.somebodys'), 'not ours');
    await mkdir(join(here.root, 'track', '.20260108T120000Z-ffff.new'));
    await writeFile(join(here.root, 'track', '.20260108T120000Z-ffff.new', 'dump.rdb'), 'half');
    const fractions: number[] = [];
    const { bytesAdded } = await targetOf({}).push((fraction) => fractions.push(fraction));
    expect(bytesAdded).toBeGreaterThan(100_000);
    expect(fractions.length).toBeGreaterThan(0);

    const root = join(here.folder, 'another', 'root');
    const there = open({ root });
    expect(await pull({ root })).toEqual({ files: 5, damaged: [] });
    expect(await there.environments()).toEqual(['track', 'web']);
    expect(await there.read('track', undefined)).toEqual(first);
    expect(await there.read('web', second.id)).toEqual(second);
    await there.extract(first, join(here.folder, 'out.rdb'), undefined);
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
    const seen = shownByRestic(here.root, watch.signal);
    await push();
    watch.abort();
    const shown = await seen;
    expect(shown.length).toBeGreaterThan(0);
    expect(shown.join('\n')).toContain('--password-file');
    expect(shown.join('\n')).not.toContain(password);
    expect((await readdir(tmpdir())).filter((name) => name.startsWith('nexus3-') && !before.includes(name))).toEqual(
      [],
    );
  });

  it('brings what is missing or damaged, for those that are named, and replaces nothing that can be used', async () => {
    await givenPushed();
    const backups = open();
    const track = (...names: readonly string[]): string => join(here.root, 'track', ...names);
    const [lost, cut, rotten, lying] = [
      await write(backups),
      await write(backups),
      await write(backups),
      await write(backups),
    ];
    const other = await write(backups, { env: 'web' });
    await writeFile(join(here.root, 'keys.json'), 'spoiled when it was pushed');
    await push();
    // Of later than the copy, and sound.
    const counted = { databases: [{ db: 0, keys: 10, expiring: 1 }], graphs: [] };
    const kept = await backups.record(pushed, { content: counted, verification: null });
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
      await backups.extract(one, join(here.folder, one.id), undefined);
    }
    expect(await backups.read('track', kept.id)).toEqual(kept);
    expect(await backups.environments()).toEqual(['track']);
    expect((await readdir(here.root)).sort()).toEqual(['keys.json', 'track', 'web']);
  });

  it('brings what a history went on with, where this machine has lost it, and never less', async () => {
    await givenPushed();
    const sealing = openSealing(DEFAULT_BACKUP, () =>
      Promise.resolve({ present: new BackupSecret(secret), earlier: [], fault: undefined }),
    );
    const history = new ArchiveFolder(here.root, 'track', sealing);
    const folder = join(here.root, 'track', 'history', LINEAGE);
    const reaching = (coveredTo: number, closed: boolean): Promise<void> =>
      history.write(folder, {
        env: 'track',
        incarnation: LINEAGE,
        since: 1_000,
        closed,
        stretches: [{ coveredTo, bases: [], writes: [] }],
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
    const root = join(here.folder, 'new', 'root');
    await write(open({ root }), { env: 'web' });
    await push({ root });
    await pull({ root });
    expect(await open({ root }).read('web', undefined)).toMatchObject({ env: 'web' });
    expect(await open({ root }).read('track', undefined)).toEqual(pushed);
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

    const keysLeft = (): Promise<readonly string[]> => readdir(join(repository, 'keys'));

    it('puts the present password in place of the earlier one, as far as the target lets it', async () => {
      const secrets = { present: next, previous: secret };
      await givenPushed();
      const [earlier = ''] = await keysLeft();
      await push({ secrets });
      expect(await keysLeft()).toHaveLength(1);
      expect(await keysLeft()).not.toContain(earlier);
      await weakenKeys(repository, new BackupSecret(next).resticPassword().reveal());

      // As a run leaves it that is cut off between the two; and then nobody may remove a key.
      await cp(join(template.folder, 'off', 'keys', earlier), join(repository, 'keys', earlier));
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
      const root = join(here.folder, 'new');
      await pull({ root, secrets: { present: next, previous: secret } });
      expect(await readdir(join(repository, 'keys'))).toHaveLength(1);
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

  it('takes away a lock that a killed run on this host has left, and waits for nobody', async () => {
    await givenPushed();
    const lock = await staleLock();
    await push();
    await expect(stat(lock)).rejects.toThrow('ENOENT');
  });

  /** restic is killed while it holds the repository for itself. */
  async function staleLock(): Promise<string> {
    const file = join(here.folder, 'password');
    await writeFile(file, new BackupSecret(secret).resticPassword().reveal());
    const child = execFile('restic', ['--repo', repository, '--password-file', file, '--no-cache', 'check']);
    const locks = join(repository, 'locks');
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

  /** A folder with a restic in it that first does something else. */
  async function resticThat(script: string): Promise<string> {
    const path = join(here.folder, 'bin');
    await mkdir(path);
    const real = (await exec('sh', ['-c', 'command -v restic'])).stdout.trim();
    await writeFile(join(path, 'restic'), `#!/bin/sh\n${script}\nexec ${real} "$@"\n`, { mode: 0o755 });
    return `${path}:${process.env['PATH'] ?? ''}`;
  }

  it('copies again what was changed while it was copied: the newest snapshot is whole', async () => {
    await givenPushed();
    const gone = await write(open());
    const path = await resticThat(
      `case " $* " in *" backup "*)
         [ -e ${here.folder}/once ] || { : > ${here.folder}/once; rm -r ${here.root}/track/${gone.id}; } ;; esac`,
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
      `case " $* " in *" restore "*) case " $* " in *${pushed.id}*)
         mkdir -p ${here.folder}/new/.pull.new; : > ${here.folder}/new/.pull.new/half
         echo 'write: no space left on device' >&2; exit 1;; esac;; esac`,
    );
    const root = join(here.folder, 'new');
    expect(await failureOf(pull({ root, path }))).toMatchObject({ code: 'DISK_FULL' });
    expect(await readdir(root)).toEqual(['track']);
    expect(await readdir(join(root, 'track'))).toEqual([newest.id]);
  });

  it('takes away what a pull that was killed has left, whatever comes next', async () => {
    await mkdir(join(here.root, '.pull.new', 'track'), { recursive: true });
    await (await open().acquire('backup create', () => undefined))[Symbol.asyncDispose]();
    expect(await readdir(here.root)).toEqual(['.lock']);
  });

  describe('says what is wrong', () => {
    it('where nothing is there', async () => {
      expect(await failureOf(pull())).toMatchObject({
        code: 'RESTIC_FAILED',
        message: 'There is no repository of restic at the target.',
      });
      expect(await failureOf(push())).toMatchObject({ code: 'BACKUP_NOT_FOUND' });
      await expect(stat(repository)).rejects.toThrow('ENOENT');
    });

    it('where it cannot be reached: then nothing is made there', async () => {
      await write(open());
      const error = await failureOf(push({ repository: 'rest:http://127.0.0.1:1/' }));
      expect(error).toMatchObject({ code: 'RESTIC_FAILED', message: 'The repository of restic cannot be opened.' });
      expect(error.evidence.join('\n')).toContain('connection refused');
    });

    it('where restic is not installed, or is too old, or is something else', async () => {
      await write(open());
      const path = join(here.folder, 'bin');
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
      const path = join(here.folder, 'bin');
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
    const environmentFile = (): string => join(here.folder, 'restic.env');

    it('reaches restic, and may name a repository whose address is secret', async () => {
      await givenPushed();
      await writeFile(environmentFile(), `# ours\nexport RESTIC_REPOSITORY="${repository}"\n`, { mode: 0o600 });
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
      await expect(stat(repository)).rejects.toThrow('ENOENT');
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
