/** The archive on a real disk: what is in it, and what happens to it. */
import { appendFile, open, readdir, readFile, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { someSecret } from '../../../test/support/backup-repository.js';
import { date, failure, HistoryHarness, iso } from '../../../test/support/history-harness.js';
import { WrittenVault } from '../../../test/support/written-vault.js';
import { HISTORY_SCHEMA } from './archive-index.js';

let harness: HistoryHarness;
beforeEach(async () => {
  harness = await HistoryHarness.make();
});
afterEach(() => harness[Symbol.asyncDispose]());

const partsIn = async (vault: WrittenVault): Promise<readonly string[]> =>
  (await readdir(harness.archiveFolder(vault))).filter((name) => name !== 'index.json').sort();

describe('the archive', () => {
  it('makes every second that it covers, without the vault, as it was', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    const first = vault.now;
    for (let round = 0; round < 6; round += 1) {
      await vault.write(2);
      vault.now += 1;
      await vault.write(1, { transaction: true });
      if (round === 2) await vault.failedRewrite();
      if (round % 2 === 1) await vault.rewrite();
      vault.now += 1;
      if (round % 3 === 0) await history.archive('track', vault.dataDir);
    }
    vault.now += 10;
    const report = await history.archive('track', vault.dataDir);
    expect(report.files).toBeGreaterThan(0);
    expect(await history.archive('track', vault.dataDir)).toEqual({ files: 0, bytes: 0 });
    const windows = await history.windows('track', undefined);
    expect(windows).toEqual([{ from: iso(first), to: iso(vault.now - 3), source: 'archive' }]);
    for (let second = first; second <= vault.now - 3; second += 1) {
      expect(await harness.idsAt(history, undefined, second), iso(second)).toEqual(vault.at(second));
    }
  });

  it('is believed under an earlier root key only as far as that was in force', async () => {
    await using vault = await WrittenVault.make();
    const seen = someSecret();
    await vault.write(3);
    vault.now += 5;
    await harness.historyOf(vault, { secret: seen }).archive('track', vault.dataDir);
    const later = vault.now + 1;
    const windowsUntil = async (until: number): Promise<number> => {
      const history = harness.historyOf(vault, { before: { secret: seen, until: date(until).toISOString() } });
      return (await history.windows('track', undefined)).length;
    };
    expect(await windowsUntil(later)).toBe(1);
    // It covers up to three seconds before it was made.
    expect(await windowsUntil(vault.now - 3)).toBe(1);
    expect(await windowsUntil(vault.now - 4)).toBe(0);
  });

  it('is of whole commands, and names every part with its hash and times, under a MAC', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    await vault.write(3);
    const whole = (await stat(vault.newest)).size;
    // The server is just writing.
    await appendFile(vault.newest, '*3\r\n$3\r\nSET\r\n$1');
    vault.now += 5;
    await history.archive('track', vault.dataDir);
    const index = JSON.parse(await readFile(join(harness.archiveFolder(vault), 'index.json'), 'utf8')) as Record<
      string,
      unknown
    >;
    const hash = expect.stringMatching(/^[0-9a-f]{64}$/) as string;
    expect(index).toEqual({
      schema: HISTORY_SCHEMA,
      env: 'track',
      incarnation: vault.incarnation,
      since: iso(vault.now - 5),
      closed: false,
      stretches: [
        {
          coveredTo: iso(vault.now - 3 + 0),
          certainFrom: null,
          bases: [
            {
              name: 'appendonly.aof.1.base.rdb',
              from: iso(vault.now - 5),
              next: 1,
              file: expect.stringMatching(/^appendonly\.aof\.1\.base\.rdb\.[0-9a-f]{8}$/) as string,
              storedBytes: expect.any(Number) as number,
              bytes: expect.any(Number) as number,
              sha256: hash,
            },
          ],
          writes: [
            {
              name: 'appendonly.aof.1.incr.aof',
              seq: 1,
              first: iso(vault.now - 5),
              ranges: [
                {
                  begin: 0,
                  first: iso(vault.now - 5),
                  last: iso(vault.now - 5),
                  tail: hash,
                  file: expect.stringMatching(/^appendonly\.aof\.1\.incr\.aof\.0\.[0-9a-f]{8}$/) as string,
                  storedBytes: expect.any(Number) as number,
                  bytes: whole,
                  sha256: hash,
                },
              ],
            },
          ],
        },
      ],
      mac: { key: expect.stringMatching(/^[0-9a-f]{16}$/) as string, value: hash },
    });
    for (const name of await readdir(harness.archiveFolder(vault))) {
      expect((await stat(join(harness.archiveFolder(vault), name))).mode & 0o777).toBe(0o600);
    }
    expect((await stat(harness.archiveFolder(vault))).mode & 0o777).toBe(0o700);
  });

  it('can be encrypted, from one run to the next', async () => {
    await using vault = await WrittenVault.make();
    const [open, closed] = [harness.historyOf(vault), harness.historyOf(vault, { encrypt: true })];
    await vault.write(2, { pad: 100_000 });
    await open.archive('track', vault.dataDir);
    vault.now += 2;
    await vault.write(2, { pad: 100_000 });
    await vault.rewrite();
    vault.now += 10;
    await closed.archive('track', vault.dataDir);
    expect((await partsIn(vault)).map((name) => name.endsWith('.age'))).toEqual([false, false, true, true]);
    for (const second of [vault.now - 12, vault.now - 11, vault.now - 10, vault.now - 3]) {
      expect(await harness.idsAt(open, undefined, second)).toEqual(vault.at(second));
    }
    const stranger = harness.historyOf(vault, { secret: someSecret() });
    expect(await stranger.windows('track', undefined)).toEqual([]);
    const refused = await failure(stranger.plan('track', undefined, date(vault.now - 5)));
    expect(refused.code).toBe('TIME_NOT_COVERED');
    expect(refused.evidence.join()).toMatch(/another root key/);
    // It does not stand in the way either, and is left as it is.
    await stranger.archive('track', vault.dataDir);
    expect(await stranger.windows('track', undefined)).toHaveLength(1);
    expect(await open.windows('track', undefined)).toHaveLength(1);
  });

  it('begins a new stretch where the vault has lost what lies between, and does not claim it', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    const first = vault.now;
    await vault.write(1);
    vault.now += 5;
    await history.archive('track', vault.dataDir);
    const archivedAt = vault.now;
    vault.now += 10;
    await vault.write(1);
    await vault.rewrite();
    await vault.forgetHistory();
    const base = vault.now;
    vault.now += 10;
    await vault.write(1);
    vault.now += 10;
    await history.archive('track', vault.dataDir);
    expect(await history.windows('track', undefined)).toEqual([
      { from: iso(first), to: iso(archivedAt - 3), source: 'archive' },
      { from: iso(base + 1), to: iso(vault.now - 3), source: 'archive' },
    ]);
    const refused = await failure(history.plan('track', undefined, date(base - 1)));
    expect(refused.evidence).toEqual([
      `covered by the archive: ${iso(first)} to ${iso(archivedAt - 3)}`,
      `covered by the archive: ${iso(base + 1)} to ${iso(vault.now - 3)}`,
    ]);
    expect(refused.hint).toContain(`--at ${iso(archivedAt - 3)}`);
    for (const second of [first, archivedAt - 3, base + 1, vault.now - 3]) {
      expect(await harness.idsAt(history, undefined, second)).toEqual(vault.at(second));
    }
  });

  it('does not go on from what a vault has lost in a power cut, and speaks for the time before', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    await vault.write(5);
    vault.now += 5;
    await history.archive('track', vault.dataDir);
    const before = vault.at(vault.now);
    await vault.lose(1);
    // Only the archive knows what was acknowledged then.
    expect(await history.windows('track', vault.dataDir)).toMatchObject([{ source: 'archive' }]);
    expect(await harness.idsAt(history, vault.dataDir, vault.now - 3)).toEqual(before);
    vault.now += 1;
    await vault.write(3);
    vault.now += 5;
    await history.archive('track', vault.dataDir);
    expect(await harness.idsAt(history, undefined, vault.now - 3)).toEqual(vault.at(vault.now));
    expect(await harness.idsAt(history, vault.dataDir, vault.now - 3)).toEqual(vault.at(vault.now));
  });

  it('sweeps what was never indexed, and nothing else', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    await vault.write(1);
    await history.archive('track', vault.dataDir);
    const before = await partsIn(vault);
    const strays = [
      'appendonly.aof.9.base.rdb.0123abcd',
      'appendonly.aof.9.incr.aof.77.0123abcd.age',
      `index.json.${'4'.repeat(9)}.new`,
    ];
    for (const stray of strays) await writeFile(join(harness.archiveFolder(vault), stray), 'stray');
    await writeFile(join(harness.archiveFolder(vault), 'notes of a person'), '');
    await history.archive('track', vault.dataDir);
    expect(await partsIn(vault)).toEqual([...before, 'notes of a person'].sort());
  });

  it('stops before damage in the middle of the log, and goes on from the base after it', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    for (let round = 0; round < 3; round += 1) {
      await vault.write(1, { pad: 100 });
      vault.now += 2;
    }
    const file = await open(vault.newest, 'r+');
    await file.write(Buffer.alloc(8), 0, 8, (await file.stat()).size - 100 - 30);
    await file.close();
    await vault.rewrite();
    const base = vault.now;
    await vault.write(1);
    vault.now += 10;
    const damaged = await failure(harness.idsAt(history, vault.dataDir, base - 1));
    expect(damaged.code).toBe('BACKUP_DAMAGED');
    expect(damaged.evidence.join()).toMatch(/appendonly\.aof\.1\.incr\.aof \(vault\), byte \d+/);
    expect(await readdir(harness.root)).toEqual([]);
    await history.archive('track', vault.dataDir);
    await history.archive('track', vault.dataDir);
    const windows = await history.windows('track', undefined);
    expect(windows.map(({ from }) => from)).toEqual([iso(base - 6), iso(base + 1)]);
    for (const second of [base - 6, base - 5, base + 1])
      expect(await harness.idsAt(history, undefined, second)).toEqual(vault.at(second));
  });

  it.each(['truncated', 'flipped', 'gone', 'linked'] as const)(
    'says that a part is damaged when it is %s, before anything of it is believed',
    async (how) => {
      await using vault = await WrittenVault.make();
      const history = harness.historyOf(vault);
      await vault.write(1);
      vault.now += 1;
      await vault.write(10, { pad: 1_000 });
      vault.now += 10;
      await history.archive('track', vault.dataDir);
      const part = join(
        harness.archiveFolder(vault),
        (await partsIn(vault)).find((name) => name.includes('.incr.')) ?? '',
      );
      const bytes = await readFile(part);
      if (how === 'truncated') await truncate(part, bytes.length - 1);
      else if (how === 'flipped') await writeFile(part, bytes.fill(0x79, bytes.length - 50, bytes.length - 49));
      else {
        await rm(part);
        if (how === 'linked') await symlink('/etc/hostname', part);
      }
      // Also when the damage lies after what is wanted.
      const refused = await failure(harness.idsAt(history, undefined, vault.now - 11));
      expect(refused.code).toBe('BACKUP_DAMAGED');
      expect(await readdir(harness.root)).toEqual(['track']);
    },
  );

  it('does not believe an index that was changed', async () => {
    await using vault = await WrittenVault.make();
    const history = harness.historyOf(vault);
    await vault.write(1);
    vault.now += 10;
    await history.archive('track', vault.dataDir);
    const path = join(harness.archiveFolder(vault), 'index.json');
    const text = await readFile(path, 'utf8');
    for (const lie of [
      text.replace('"closed":false', '"closed":true'),
      text.slice(0, -20),
      '{}',
      '',
      '[]',
      text.replaceAll('track', 'web'),
    ]) {
      await writeFile(path, lie);
      expect(await history.windows('track', undefined), lie.slice(0, 40)).toEqual([]);
      const refused = await failure(history.plan('track', undefined, date(vault.now - 5)));
      expect(refused.code).toBe('TIME_NOT_COVERED');
      expect(refused.evidence.join()).toMatch(/cannot be believed/);
    }
  });
});
