import { join } from 'node:path';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf } from '../../test/support/failure.js';
import { isAgeRecipient } from './age-recipient.js';
import { DEFAULT_KEEP } from './backup.js';
import type { BackupPolicy } from './configuration.js';
import { addEnvironment } from './edit.js';
import { renderConfigFile } from './init.js';
import { loadConfiguration, parseConfigText } from './load.js';

const ONE = 'age1d657xw6fhwqynv24l4ur7t8ww7cu6k9takze0efx7qdphmdeegqsrscyn6';
const OTHER = 'age1gc4dfj4rgq8adhwf42vdjyswnpnzsjhsk2leykx4ruz2vgqdeyqqggryra';
const IDENTITY = 'AGE-SECRET-KEY-1QQPQQQYQQQSQQQZQQQGQQQXQQQ8QQQFQQQ2QQQVQQQWQQQQSTVX3';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-backup-config-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function policyOf(text: string, dataRoot = 'data'): Promise<BackupPolicy> {
  const file = join(folder, 'nexus3.yaml');
  await writeFile(file, `version: 1\ndataRoot: ${dataRoot}\n${text}`);
  return (await loadConfiguration({ config: file }, { cwd: '/', env: { HOME: '/home/someone' } })).backup;
}

async function mistakesIn(text: string): Promise<readonly string[]> {
  return (await failureOf(policyOf(text))).evidence.map((line) => line.replace(`${folder}/`, ''));
}

describe('backup: in nexus3.yaml', () => {
  it('is not there: nothing is expected, and the root is beside the data root', async () => {
    expect(await policyOf('')).toEqual({
      configured: false,
      root: join(folder, 'data-backups'),
      schedule: undefined,
      staleAfterHours: 48,
      unverifiedAfterHours: 168,
      encrypt: false,
      recipients: [],
      keep: { last: 3, hourly: 0, daily: 7, weekly: 4, monthly: 6 },
      historyBytesMax: 1024 ** 3,
      target: undefined,
    });
  });

  it.each(['backup:\n', 'backup: {}\n'])('is empty: configured, with every default', async (text) => {
    expect(await policyOf(text)).toEqual({ ...(await policyOf('')), configured: true });
  });

  it('says everything', async () => {
    const text = `backup:
  root: ~/kept
  schedule: "30 2 * * *"
  staleAfterHours: 30
  unverifiedAfterHours: 100
  recipients:
    - ${ONE}
    - ${OTHER}
  keep: { last: 1, hourly: 24, daily: 14 }
  historyBytesMax: 512mb
  target:
    repository: sftp:backup@host:/nexus3
    environmentFile: remote.env
`;
    expect(await policyOf(text)).toEqual({
      configured: true,
      root: '/home/someone/kept',
      schedule: '30 2 * * *',
      staleAfterHours: 30,
      unverifiedAfterHours: 100,
      encrypt: true,
      recipients: [ONE, OTHER],
      keep: { ...DEFAULT_KEEP, last: 1, hourly: 24, daily: 14 },
      historyBytesMax: 512 * 1024 ** 2,
      target: { repository: 'sftp:backup@host:/nexus3', environmentFile: join(folder, 'remote.env') },
    });
  });

  it.each([
    ['0 3 * * *', 48, 168],
    ['0 * * * *', 2, 168],
    ['*/15 * * * *', 1, 168],
    ['0 3 * * sun', 336, 336],
    ['0 3 1 * *', 1_488, 1_488],
  ])('with the schedule %s, what is twice its longest gap old is stale', async (schedule, stale, unverified) => {
    expect(await policyOf(`backup: { schedule: "${schedule}" }\n`)).toMatchObject({
      staleAfterHours: stale,
      unverifiedAfterHours: unverified,
    });
  });

  it('encrypts when it is told to, or when there is a recipient', async () => {
    expect(await policyOf('backup: { encrypt: true }\n')).toMatchObject({ encrypt: true, recipients: [] });
    expect(await policyOf(`backup: { recipients: [${ONE}] }\n`)).toMatchObject({ encrypt: true });
    expect(await policyOf('backup: { encrypt: false, recipients: [] }\n')).toMatchObject({ encrypt: false });
  });

  it.each([
    ['local:copy', 'copy'],
    ['./copy', 'copy'],
    ['../copy', '../copy'],
  ])('takes the target %s for a folder beside the file', async (written, expected) => {
    const { target } = await policyOf(`backup: { target: { repository: "${written}" } }\n`);
    expect(target).toEqual({ repository: join(folder, expected), environmentFile: undefined });
  });

  it.each([
    ['stfp:backup@host:/nexus3', '(did you mean "sftp"?)'],
    ['ftp:host:/nexus3', '(did you mean "sftp"?)'],
    ['webdav:host:/nexus3', 'begins with / or ./'],
    ['S3:https://host/bucket', '(did you mean "s3"?)'],
    ['copy', 'begins with / or ./'],
    ['local:', 'begins with / or ./'],
  ])('does not take the target %s for a folder', async (written, why) => {
    expect(await mistakesIn(`backup: { target: { repository: "${written}" } }\n`)).toEqual([
      expect.stringContaining(why) as string,
    ]);
  });

  it('tells every mistake at once, each with its line', async () => {
    const text = `backup:
  rot: /backups
  schedule: "61 * * * *"
  staleAfterHours: 0
  unverifiedAfterHours: soon
  encrypt: false
  recipients:
    - ${ONE}
    - ${ONE.replace('d657', 'd675')}
    - ${ONE}
  keep: { last: 0, dayly: 3, monthly: -1 }
  historyBytesMax: 1kb
  target: { environmentFile: "" }
environments: { track: { vault: 1 } }
`;
    expect(await mistakesIn(text)).toMatchInlineSnapshot(`
      [
        "nexus3.yaml:4: backup.rot: there is no such key (did you mean "root"?)",
        "nexus3.yaml:5: backup.schedule: "61 * * * *" is not a schedule of five cron fields, such as "0 3 * * *": Invalid value for minute: 61",
        "nexus3.yaml:6: backup.staleAfterHours: 0 is not a number of hours (1–87600)",
        "nexus3.yaml:7: backup.unverifiedAfterHours: "soon" is not a number of hours (1–87600)",
        "nexus3.yaml:8: backup.encrypt: false, but there are recipients: backups are encrypted for them; leave one of the two out",
        "nexus3.yaml:11: backup.recipients.2: "age1d675xw6fhwqynv24l4ur7t8ww7cu6k9takze…" is not a recipient of age (age1 and 58 characters more, as age-keygen prints its public key)",
        "nexus3.yaml:12: backup.recipients.3: is written twice; the first is on line 10",
        "nexus3.yaml:13: backup.keep.last: 0 is not a number of backups (1–10000)",
        "nexus3.yaml:13: backup.keep.monthly: -1 is not a number of backups (0–10000)",
        "nexus3.yaml:13: backup.keep.dayly: there is no such key (did you mean "daily"?)",
        "nexus3.yaml:14: backup.historyBytesMax: "1kb" is not a memory size (a number with kb, mb or gb, at least 1mb)",
        "nexus3.yaml:15: backup.target.repository: is missing; name one as restic does, such as sftp:user@host:/backups",
        "nexus3.yaml:15: backup.target.environmentFile: "" is not a path",
        "nexus3.yaml:16: environments.track.vault: 1 is not a port (1024–65534)",
      ]
    `);
  });

  it.each(['daily', '@daily', '0 0 31 2 *', '0 0 3 * * *', '12'])('refuses the schedule %s', async (schedule) => {
    expect(await mistakesIn(`backup: { schedule: "${schedule}" }\n`)).toEqual([
      expect.stringContaining('is not a schedule of five cron fields') as string,
    ]);
  });

  it('never repeats what may be a secret: an identity in place of a recipient, a password in a repository', async () => {
    const repository = 'rest:https://name:hunter2@host/';
    const text = `backup:\n  recipients: [${IDENTITY}]\n  target: { repository: "${repository}" }\n`;
    const mistakes = await mistakesIn(text);
    expect(mistakes).toHaveLength(2);
    expect(mistakes.join('\n')).not.toMatch(/hunter2|AGE-SECRET|1QQPQQQY/);
    expect(mistakes[1]).toContain('without a password');
  });

  it.each([
    ['data', 'within the data root'],
    ['data/backups', 'within the data root'],
    ['./data/../data/x', 'within the data root'],
    ['.', 'holds the data root'],
    ['/', 'holds the data root'],
  ])('refuses the root %s', async (root, why) => {
    const [mistake, ...others] = await mistakesIn(`backup:\n  keep: {}\n  root: ${root}\n`);
    expect(mistake).toContain('nexus3.yaml:5: backup.root: ');
    expect(mistake).toContain(why);
    expect(others).toEqual([]);
  });

  it.each(['data-backup', 'dat', 'data.old', '../data'])('allows the root %s', async (root) => {
    expect((await policyOf(`backup: { root: ${root} }\n`)).root).toBe(join(folder, root));
  });

  it.each(['./data-backups/off', './data'])(
    'refuses the target %s, which is lost with what it is a copy of',
    async (path) => {
      expect(await mistakesIn(`backup:\n  target:\n    repository: ${path}\n`)).toEqual([
        expect.stringMatching(/^nexus3\.yaml:5: backup\.target\.repository: .* is within /) as string,
      ]);
    },
  );

  it('stays when an environment is added', async () => {
    const file = join(folder, 'nexus3.yaml');
    await policyOf(
      '# ours\nbackup: # nightly\n  schedule: "0 3 * * *" # at three\nenvironments:\n  a: { vault: 6640 }\n',
    );
    const surroundings = { cwd: '/', env: { HOME: '/home/someone' } };
    const before = await loadConfiguration({ config: file }, surroundings);
    const after = await addEnvironment(before, { name: 'b', kind: 'standard', vaultPort: 6650 }, surroundings);
    expect(after.environments.map(({ name }) => name)).toContain('b');
    expect(after.backup).toEqual(before.backup);
    expect(after.backup.configured).toBe(true);
  });
});

describe('the example that init writes', () => {
  it('is what it says when its comment signs are taken away', async () => {
    const text = renderConfigFile({ runtime: 'process', dataRoot: undefined, environments: [] });
    const example = text.split('\n').slice(text.split('\n').findIndex((line) => line === '# backup:'));
    const lines = example
      .slice(
        0,
        example.findIndex((line) => line === ''),
      )
      .map((line) => line.replace(/^# /, ''));
    const { backup } = await parseConfigText({ path: 'nexus3.yaml', text: lines.join('\n') });
    expect(backup).toMatchObject({
      configured: true,
      keep: DEFAULT_KEEP,
      staleAfterHours: 48,
      historyBytesMax: 1024 ** 3,
      target: { repository: 'sftp:backup@example.org:/nexus3' },
    });
  });
});

describe('the example in docs/backups.md', () => {
  it('is right', async () => {
    const page = await readFile(new URL('../../docs/backups.md', import.meta.url), 'utf8');
    const text = /```yaml\n([^]*?)```/.exec(page)?.[1] ?? '';
    const { backup } = await parseConfigText({ path: 'nexus3.yaml', text });
    expect(backup).toMatchObject({ configured: true, encrypt: true, keep: DEFAULT_KEEP, staleAfterHours: 30 });
    // Each key that there is has a line in its table.
    const named = new Set([...page.matchAll(/^\| `([\w.]+)`/gm)].map(([, key]) => key));
    const keys = Object.keys(backup).flatMap((key) =>
      key === 'target' ? ['target.repository', 'target.environmentFile'] : [key],
    );
    expect(keys.filter((key) => key !== 'configured' && !named.has(key))).toEqual([]);
  });
});

describe('a recipient of age', () => {
  it('is known by its check sum', () => {
    for (const right of [ONE, OTHER]) expect(isAgeRecipient(right)).toBe(true);
    for (const index of [4, 20, 61]) {
      const wrong = ONE.slice(0, index) + (ONE[index] === 'q' ? 'p' : 'q') + ONE.slice(index + 1);
      expect(isAgeRecipient(wrong), wrong).toBe(false);
    }
    for (const wrong of ['', 'age1', ONE.toUpperCase(), ONE.slice(0, -1), `${ONE}q`, ` ${ONE}`, IDENTITY]) {
      expect(isAgeRecipient(wrong), wrong).toBe(false);
    }
  });
});
