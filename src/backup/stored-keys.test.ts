/** Backups across changes of the root key: cut off anywhere, done again, refused, and after the key was lost. */
import { cp, readFile, stat, writeFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  chunksOf,
  newBackup,
  someSecret,
  type TestRepository,
  testRepository,
} from '../../test/support/backup-repository.js';
import { iso } from '../../test/support/history-harness.js';
import { rounds } from '../../test/support/random.js';
import { WrittenVault } from '../../test/support/written-vault.js';
import { DEFAULT_BACKUP } from '../config/schema.js';
import type { Secret } from '../protocol/secret.js';
import { BackupSecret } from './backup-secret.js';
import type { Backups, Manifest } from './backups.js';
import { ArchiveFolder } from './history/archive-folder.js';
import { carriedOver, parseKeyFile, renderKeyFile } from './key-file.js';
import { openSealing } from './sealing.js';
import { StoredKeys } from './stored-keys.js';
import { Untrue } from './untrusted.js';

const PROPERTY_MS = rounds(60_000, 900_000);
const DUMP = Buffer.from('a snapshot');

let repository: TestRepository;
beforeEach(async () => {
  repository = await testRepository();
});
afterEach(() => repository[Symbol.asyncDispose]());

const keysFile = (): string => join(repository.root, 'keys.json');
/** As the files of the root key say: alone, with the next one, with the previous one. */
const under = (present: Secret, besides: { next?: Secret; previous?: Secret } = {}, encrypt = true): Backups =>
  repository.open({ present, ...besides }, { encrypt });
const at = (second: number): Date => new Date(Date.UTC(2026, 0, 8, 12, 0, second));
async function backedUp(backups: Backups, second: number): Promise<Manifest> {
  repository.now = at(second);
  return backups.write(newBackup({ createdAt: at(second) }), chunksOf(DUMP));
}

async function rekeyed(old: Secret, next: Secret): Promise<void> {
  await under(old, { next }).keys.proveWritable();
  await under(old, { next }).keys.carryOver();
  await under(next, { previous: old }).keys.closeToOld();
}

async function opensAll(backups: Backups, manifests: readonly Manifest[]): Promise<void> {
  const listed = await backups.list('track');
  expect(listed.map(({ manifest }) => manifest)).toEqual(manifests.toReversed());
  for (const manifest of manifests) {
    const to = join(repository.folder, `${manifest.id}-${String(Math.random())}`);
    await backups.extract(await backups.read('track', manifest.id), to, undefined);
    expect((await readFile(to)).equals(DUMP)).toBe(true);
  }
}

describe('another root key', () => {
  it('opens what the earlier ones have sealed, after two changes, and is not opened by them', async () => {
    const [first, second, third] = [someSecret(), someSecret(), someSecret()];
    const one = await backedUp(under(first), 1);
    await rekeyed(first, second);
    const two = await backedUp(under(second, {}, false), 2);
    await opensAll(under(second), [one, two]);
    await rekeyed(second, third);
    const three = await backedUp(under(third), 3);
    await opensAll(under(third), [one, two, three]);
    const content = { databases: [], graphs: [] };
    expect(await under(third).record(one, { content, verification: null })).toEqual({ ...one, content });
    // Under the key that also opens its snapshot.
    const recorded = await readFile(join(repository.root, 'track', one.id, 'manifest.json'), 'utf8');
    expect(JSON.parse(recorded)).toMatchObject({ mac: { key: new BackupSecret(first).fingerprint } });
    expect((await stat(keysFile())).mode & 0o777).toBe(0o600);
    const text = await readFile(keysFile(), 'utf8');
    for (const secret of [first, second, third]) expect(text).not.toContain(secret.reveal());
    expect(parseKeyFile(text).map(({ sealed }) => sealed.map((by) => by.under))).toEqual([
      [new BackupSecret(third).fingerprint],
      [new BackupSecret(third).fingerprint],
    ]);
    const listed = await under(second).list('track');
    expect(listed.map(({ problem }) => problem?.code)).toEqual(['BACKUP_KEY_UNKNOWN', undefined, 'BACKUP_KEY_UNKNOWN']);
  });

  it(
    'is carried over to whatever is cut off and done again: both keys open everything until the old one is given up',
    async () => {
      const steps = fc.array(fc.constantFrom('carry', 'commit', 'close', 'finish', 'abandon', 'backup'), {
        maxLength: 10,
      });
      await fc.assert(
        fc.asyncProperty(steps, async (todo) => {
          await using own = await testRepository();
          own.now = new Date(2026, 2, 1);
          let [present, next, previous]: [Secret, Secret | undefined, Secret | undefined] = [
            someSecret(),
            undefined,
            undefined,
          ];
          let closed = false;
          const now = (): Backups => own.open({ present, next, previous }, { encrypt: false });
          const made = [await now().write(newBackup(), chunksOf(DUMP))];
          for (const step of todo) {
            if (step === 'carry') {
              if (previous === undefined) next ??= someSecret();
              await now().keys.carryOver();
            } else if (step === 'commit' && next !== undefined) {
              // As `locker rekey` does, always after carrying over.
              await now().keys.carryOver();
              [present, next, previous, closed] = [next, undefined, present, false];
            } else if (step === 'close') {
              await now().keys.closeToOld();
              closed = previous !== undefined;
            } else if (step === 'finish' && previous !== undefined) {
              await now().keys.closeToOld();
              previous = undefined;
            } else if (step === 'abandon') next = undefined;
            else if (step === 'backup') {
              made.push(
                await now().write(newBackup({ createdAt: new Date(2026, 1, 1, 0, 0, made.length) }), chunksOf(DUMP)),
              );
              closed = false;
            }
            const alone = own.open({ present }, { encrypt: false });
            for (const view of [now(), ...(previous === undefined || closed ? [alone] : [])]) {
              const listed = await view.list('track');
              expect(listed.map(({ problem }) => problem?.message)).toEqual(made.map(() => undefined));
            }
            const last = made.at(-1);
            if (last !== undefined) await now().extract(last, join(own.folder, String(Math.random())), undefined);
          }
        }),
        { numRuns: rounds(20, 300) },
      );
    },
    PROPERTY_MS,
  );

  it('believes nothing that an earlier one has signed for a time at which it was given up', async () => {
    const [first, second, third] = [someSecret(), someSecret(), someSecret()];
    const fair = await backedUp(under(first), 1);
    await rekeyed(first, second);
    // Who has seen the first root key, and can write into the repository.
    const elsewhere = await testRepository();
    const thief = elsewhere.open({ present: first });
    const forged = await thief.write(newBackup({ createdAt: at(2) }), chunksOf(DUMP));
    await cp(join(elsewhere.root, 'track', forged.id), join(repository.root, 'track', forged.id), { recursive: true });
    await elsewhere[Symbol.asyncDispose]();
    const problems = async (present: Secret): Promise<readonly unknown[]> =>
      (await under(present).list('track')).map(({ problem }) => problem?.code);
    expect(await problems(second)).toEqual(['BACKUP_INVALID', undefined]);
    await rekeyed(second, third);
    expect(await problems(third)).toEqual(['BACKUP_INVALID', undefined]);
    await expect(under(third).read('track', forged.id)).rejects.toThrow('cannot be believed');
    // Nor can the bound be moved, or taken away: then it opens nothing.
    const text = await readFile(keysFile(), 'utf8');
    for (const changed of [/ *"until": .*\n/g, /2026-01-08T12:00:01.000Z/g]) {
      await writeFile(
        keysFile(),
        text.replace(changed, (found) => (found.includes('until') ? '' : at(9).toISOString())),
      );
      expect(await problems(third)).toEqual(['BACKUP_KEY_UNKNOWN', 'BACKUP_KEY_UNKNOWN']);
    }
    await writeFile(keysFile(), text);
    expect((await under(third).read('track', fair.id)).id).toBe(fair.id);
  });

  it('is told of what is dated later than the clock says, and names the clock where it was too late', async () => {
    await using vault = await WrittenVault.make();
    const [first, second] = [someSecret(), someSecret()];
    await vault.write(3);
    vault.now += 5;
    repository.now = new Date(vault.now * 1_000);
    await under(first).history.archive('track', vault.dataDir);
    const { id, createdAt } = await under(first).write(newBackup({ createdAt: repository.now }), chunksOf(DUMP));
    expect(await under(first).datedLater()).toEqual([]);
    repository.now = new Date(repository.now.getTime() - 3_600_000);
    expect(await under(first).datedLater()).toEqual([
      { folder: join(repository.root, 'track', id), at: createdAt },
      { folder: join(repository.root, 'track', 'history', vault.incarnation), at: iso(vault.now - 3) },
    ]);
    // What cannot be believed keeps nobody from anything.
    expect(await under(second).datedLater()).toEqual([]);
    await rekeyed(first, second);
    const clock = expect.stringMatching(/given up, at .* If this host’s clock was wrong then/) as string;
    await expect(under(second).read('track', id)).rejects.toMatchObject({ code: 'BACKUP_INVALID', hint: clock });
    const sealing = openSealing(DEFAULT_BACKUP, () =>
      new StoredKeys(
        repository.root,
        () => Promise.resolve({ present: second, next: undefined, previous: undefined }),
        () => repository.now,
      ).known(),
    );
    const [lineage] = await new ArchiveFolder(repository.root, 'track', sealing).lineages();
    expect(lineage?.problem).toMatchObject({ code: 'BACKUP_INVALID', hint: clock });
    // The way out that is named.
    expect((await under(first).read('track', id)).id).toBe(id);
  });

  it('is bounded from the next change on where keys.json was written before bounds were kept', async () => {
    const [first, second, third] = [someSecret(), someSecret(), someSecret()];
    await backedUp(under(first), 1);
    const [one, two, three] = [first, second, third].map((secret) => new BackupSecret(secret));
    if (one === undefined || two === undefined || three === undefined) throw new Error('three');
    await writeFile(keysFile(), renderKeyFile(carriedOver([], [{ secret: one, until: undefined }], two)));
    const later = await backedUp(under(first), 5);
    expect((await under(second).list('track')).map(({ problem }) => problem)).toEqual([undefined, undefined]);
    await rekeyed(second, third);
    const [, ofSecond] = parseKeyFile(await readFile(keysFile(), 'utf8'));
    expect(ofSecond?.sealed).toMatchObject([{ under: three.fingerprint, until: at(5).toISOString() }]);
    await backedUp(under(first), 6);
    const listed = await under(third).list('track');
    expect(listed.map(({ problem }) => problem?.code)).toEqual(['BACKUP_INVALID', undefined, undefined]);
    expect(listed[1]?.id).toBe(later.id);
  });

  it('has nothing to carry over where there is no repository, and makes none', async () => {
    const { keys } = under(someSecret(), { next: someSecret() });
    await keys.proveWritable();
    expect(await keys.carryOver()).toBe(0);
    expect(await keys.there()).toBe(false);
  });

  it('opens what a run that began with the old key made in a repository that was not there before', async () => {
    const [old, next] = [someSecret(), someSecret()];
    expect(await under(old, { next }).keys.carryOver()).toBe(0);
    const late = await backedUp(under(old, { next }), 1);
    await opensAll(under(next, { previous: old }), [late]);
    await under(next, { previous: old }).keys.closeToOld();
    await opensAll(under(next), [late]);
  });

  it('also opens what was made while it became the key', async () => {
    const [old, next] = [someSecret(), someSecret()];
    const before = await backedUp(under(old), 1);
    await under(old, { next }).keys.carryOver();
    const between = await backedUp(under(old, { next }), 2);
    const after = await backedUp(under(next, { previous: old }), 3);
    await opensAll(under(next, { previous: old }), [before, between, after]);
    await under(next, { previous: old }).keys.closeToOld();
    await opensAll(under(next), [before, between, after]);
  });

  it('that has been lost is said to be so, with the way out; the earlier ones stay where they are', async () => {
    const [first, lost, anew, later] = [someSecret(), someSecret(), someSecret(), someSecret()];
    const one = await backedUp(under(first), 1);
    await rekeyed(first, lost);
    const two = await backedUp(under(lost), 2);
    for (const { problem } of await under(anew).list('track')) {
      expect(problem).toMatchObject({ code: 'BACKUP_KEY_UNKNOWN' });
      expect(problem?.hint).toContain('nexus3 locker import');
    }
    await expect(under(anew).read('track', undefined)).rejects.toMatchObject({ code: 'BACKUP_KEY_UNKNOWN' });
    await rekeyed(anew, later);
    await opensAll(under(lost), [one, two]);
  });

  it('is not taken into use where the earlier ones cannot be read, or written', async () => {
    const [old, next] = [someSecret(), someSecret()];
    const one = await backedUp(under(old), 1);
    for (const text of [
      '',
      '{}',
      'garbage',
      '{"schema":"nexus3.backup-keys/1","secrets":[{}]}',
      'x'.repeat(5_000_000),
    ]) {
      await writeFile(keysFile(), text);
      const { keys } = under(old, { next });
      await expect(keys.proveWritable()).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
      await expect(keys.carryOver()).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
      expect(await readFile(keysFile(), 'utf8')).toBe(text);
      // What the present key opens needs no other.
      await opensAll(under(old), [one]);
      const [listed] = await under(next).list('track');
      expect(listed?.problem?.evidence.join()).toContain('keys.json');
    }
    await writeFile(keysFile(), renderKeyFile([]));
    await under(old, { next }).keys.proveWritable();
  });

  it('does not take what somebody else has put there for an earlier one', async () => {
    const [old, next] = [someSecret(), someSecret()];
    await backedUp(under(old), 1);
    await under(old, { next }).keys.carryOver();
    const [entry] = parseKeyFile(await readFile(keysFile(), 'utf8'));
    const fingerprint = new BackupSecret(someSecret()).fingerprint;
    await writeFile(keysFile(), renderKeyFile([{ fingerprint, sealed: entry?.sealed ?? [] }]));
    const [listed] = await under(next).list('track');
    expect(listed?.problem?.code).toBe('BACKUP_KEY_UNKNOWN');
  });
});

describe('keys.json', () => {
  it('is read as nothing but what it should be', async () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), (text) => {
        expect(() => parseKeyFile(text)).toThrow(Untrue);
      }),
    );
    const nested = { schema: 'nexus3.backup-keys/1', secrets: fc.sample(fc.anything(), 1) };
    expect(() => parseKeyFile(JSON.stringify(nested))).toThrow(Untrue);
    const twice = { fingerprint: '0'.repeat(16), sealed: [] };
    expect(() => parseKeyFile(renderKeyFile([twice, twice]))).toThrow(Untrue);
    expect(parseKeyFile(renderKeyFile([twice]))).toEqual([twice]);
    await mkdir(keysFile(), { recursive: true });
    await expect(under(someSecret()).keys.proveWritable()).rejects.toMatchObject({ code: 'BACKUP_INVALID' });
  });
});
