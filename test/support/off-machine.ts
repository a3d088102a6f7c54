/** A place off this machine, kept by a real restic in a folder: for stories of what is copied there and fetched from there. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { cp, mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { BackupSecret } from '../../src/backup/backup-secret.js';
import type { Backups, Manifest } from '../../src/backup/backups.js';
import { openBackups } from '../../src/backup/stored-backups.js';
import type { RootSecrets } from '../../src/backup/stored-keys.js';
import type { BackupTarget } from '../../src/config/configuration.js';
import { DEFAULT_BACKUP } from '../../src/config/schema.js';
import type { Secret } from '../../src/protocol/secret.js';
import { chunksOf, newBackup, someSecret, type TestRepository, testRepository } from './backup-repository.js';
import { weakenKeys } from './weak-restic-key.js';

const exec = promisify(execFile);
const SNAPSHOT_BYTES = 100_000;

export interface Where extends Partial<BackupTarget> {
  readonly root?: string;
  readonly secrets?: Partial<RootSecrets>;
  readonly path?: string;
}

type Target = NonNullable<Backups['target']>;

/** Inside of a `describe`: each story gets an empty machine and an empty place. */
export class OffMachine {
  readonly secret = someSecret();
  here!: TestRepository;
  /** With one backup, which is there as well. */
  template!: TestRepository;
  pushed!: Manifest;

  constructor() {
    beforeAll(async () => {
      this.template = await testRepository();
      this.here = this.template;
      this.pushed = await this.write(this.open());
      await this.push();
      await weakenKeys(this.repository, new BackupSecret(this.secret).resticPassword().reveal());
    });
    afterAll(() => this.template[Symbol.asyncDispose]());
    beforeEach(async () => {
      this.here = await testRepository();
    });
    afterEach(() => this.here[Symbol.asyncDispose]());
  }

  get repository(): string {
    return join(this.here.folder, 'off');
  }

  /** Making a repository takes restic a second: most stories begin with a copy of one, and of the backup in it. */
  readonly givenPushed = (): Promise<void> => cp(this.template.folder, this.here.folder, { recursive: true });

  readonly open = ({ root = this.here.root, secrets = {}, path, ...target }: Where = {}): Backups => {
    const { PATH, HOME } = process.env;
    return openBackups(
      { ...DEFAULT_BACKUP, root, target: { repository: this.repository, environmentFile: undefined, ...target } },
      {
        secrets: () => Promise.resolve({ present: this.secret, next: undefined, previous: undefined, ...secrets }),
        now: () => new Date('2026-01-08T12:00:02Z'),
        variables: { PATH: path ?? PATH, HOME, XDG_CACHE_HOME: join(this.here.folder, 'cache') },
      },
    );
  };

  readonly write = (backups: Backups, changes: Parameters<typeof newBackup>[0] = {}): Promise<Manifest> =>
    backups.write(newBackup(changes), chunksOf(randomBytes(SNAPSHOT_BYTES)));

  readonly targetOf = (where: Where): Target => {
    const { target } = this.open(where);
    if (target === undefined) throw new Error('there is one');
    return target;
  };

  readonly push = async (where: Where = {}): ReturnType<Target['push']> => this.targetOf(where).push();

  /** As `backup pull` does. */
  readonly pull = async (where: Where = {}, envs: readonly string[] = []): ReturnType<Target['pull']> =>
    this.targetOf(where).pull(envs, undefined, true);

  readonly restic = async (password: Secret, ...args: readonly string[]): Promise<string> => {
    const file = join(this.here.folder, 'password');
    await writeFile(file, new BackupSecret(password).resticPassword().reveal());
    const flags = ['--repo', this.repository, '--password-file', file, '--no-cache'];
    return (await exec('restic', [...flags, ...args])).stdout;
  };

  /** A PATH with a restic in it that first does something else. */
  readonly resticThat = async (script: string): Promise<string> => {
    const path = join(this.here.folder, 'bin');
    await mkdir(path);
    const real = (await exec('sh', ['-c', 'command -v restic'])).stdout.trim();
    await writeFile(join(path, 'restic'), `#!/bin/sh\n${script}\nexec ${real} "$@"\n`, { mode: 0o755 });
    return `${path}:${process.env['PATH'] ?? ''}`;
  };
}
