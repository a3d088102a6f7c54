/** No secret leaves Locker: after all that environments go through, none is found anywhere on this machine where it may not be. */
import { appendFile, chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hands } from './break.js';
import { until } from './break.js';
import { Nexus } from './nexus.js';
import type { NexusOptions } from './nexus.js';
import type { Hunted, Passwords } from './secret-hunt.js';
import { findIn, huntFiles, huntProcesses, passwordsOf, Transcript } from './secret-hunt.js';
import { liveThrough } from './secrets-life.js';

const ENVS = ['locker', 'track', 'notes'] as const;
const SAMPLE_EVERY_MS = 250;

/**
 * @param huntRuntime in what the runtime shows of the instances, beside their processes: `docker inspect`, logs.
 */
export function describeSecrets(
  options: NexusOptions,
  hands: Hands,
  huntRuntime: (nexus: Nexus, passwords: Passwords) => Promise<Hunted>,
): void {
  let nexus: Nexus;
  let said: Transcript;
  /** Those in force now, and all that ever were. */
  let passwords: Passwords = new Map();
  /** What processes showed while all that happened. */
  const shown = new Set<string>();

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    said = new Transcript(nexus);
    const further = new Map<string, string>();
    const ever = new Map<string, string>();
    const collect = async (): Promise<void> => {
      const now = new Map([...(await passwordsOf(nexus, ENVS)), ['the root key', await rootKey(nexus)] as const]);
      for (const [whose, value] of [...now, ...further]) if (!ever.has(value)) ever.set(value, whose);
      passwords = named(ever, new Map([...now, ...further]));
    };
    const watch = setInterval(() => {
      void huntProcesses(passwords).then(({ found }) => found.forEach((one) => shown.add(one)));
    }, SAMPLE_EVERY_MS);
    try {
      await liveThrough({ nexus, hands, said, further }, collect);
    } finally {
      clearInterval(watch);
    }
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  /** Redis needs the one to log in at the vault, and Locker the other. */
  const mayHold = (path: string, whose: string, mode: number): boolean => {
    if (mode !== 0o600) return false;
    if (whose === 'the root key') return path === join(nexus.root, 'root.key');
    if (whose === 'the token') return path === join(nexus.root, 'track.token');
    const env = /\/(track|notes)\/config\/operational\/redis\.conf$/.exec(path)?.[1];
    return env !== undefined && whose === `${env} replicator`;
  };

  async function foundInFiles(): Promise<readonly string[]> {
    return (await huntFiles(nexus.root, passwords, mayHold)).found;
  }

  const password = (): string => passwords.get('track default') ?? '';

  it('there are secrets to look for, each of them another', () => {
    expect(new Set(passwords.values()).size).toBeGreaterThanOrEqual(15);
    for (const value of passwords.values()) expect(value.length).toBeGreaterThanOrEqual(25);
    expect(passwords.has('track replicator, old 1'), 'replaced, because it was exposed').toBe(true);
    expect(passwords.has('gone default') || passwords.has('notes default')).toBe(true);
  });

  it('none lies in a file: data, append-only files, snapshots, logs, records, configuration', async () => {
    const { paths, found } = await huntFiles(nexus.root, passwords, mayHold);
    for (const kind of KINDS_OF_FILES) expect(paths.join('\n')).toMatch(kind);
    expect(found).toEqual([]);
  });

  it('none was printed, for people or for scripts, in results or in errors', () => {
    expect(said.text.length).toBeGreaterThan(5_000);
    for (const told of [/password-mismatch, vault/, /LOCKER_VALUE_TAMPERED/, /WRONGPASS/, /Error: /, /"schema"/]) {
      expect(said.text).toMatch(told);
    }
    expect(findIn('what was printed', said.text, passwords)).toEqual([]);
  });

  it('none is shown by any process of this machine, nor was while all that happened', async () => {
    const { files, found } = await huntProcesses(passwords);
    expect(files).toBeGreaterThanOrEqual(5);
    expect(found).toEqual([]);
    expect([...shown]).toEqual([]);
  });

  it('none is shown by the runtime', async () => {
    const { files, found } = await huntRuntime(nexus, passwords);
    expect(files).toBeGreaterThanOrEqual(5);
    expect(found).toEqual([]);
  });

  it('the anonymous client of the operational is told none', async () => {
    for (const words of [['INFO', 'everything'], ['CONFIG', 'GET', '*'], ['ACL', 'LIST'], ['COMMAND'], ['ROLE']]) {
      const reply = JSON.stringify(await nexus.anonymous('track', 'operational', ...words));
      expect(findIn(words.join(' '), reply, passwords)).toEqual([]);
    }
  });

  describe('and this test would see one', () => {
    it('in a file, in a folder of any depth, and in the replica’s own redis.conf when others can read it', async () => {
      const planted = join(nexus.dataRoot, 'track/vault/planted');
      await mkdir(join(planted, 'deep'), { recursive: true });
      await writeFile(join(planted, 'deep/file'), Buffer.concat([Buffer.from([0, 255]), Buffer.from(password())]));
      const { configDir } = await nexus.spec('track', 'operational');
      await chmod(join(configDir, 'redis.conf'), 0o640);
      const found = await foundInFiles();
      await chmod(join(configDir, 'redis.conf'), 0o600);
      await rm(planted, { recursive: true });
      expect(found.toSorted()).toEqual([
        `${join(configDir, 'redis.conf')}: the password of track replicator`,
        `${join(planted, 'deep/file')}: the password of track default`,
      ]);
    });

    it('in an append-only file and in a snapshot, as a client writes it there', async () => {
      for (const [key, value] of [
        ['planted', password()],
        ['coded', Buffer.from(`default:${password()}`).toString('base64')],
      ] as const) {
        await nexus.admin('track', 'vault', 'SET', key, value);
        await until(async () => (await nexus.anonymous('track', 'operational', 'GET', key)) === value, 'replication');
        await nexus.admin('track', 'operational', 'SAVE');
        const found = (await foundInFiles()).join('\n');
        expect(found).toMatch(/track\/vault\/appendonlydir\/.*\.aof: the password of track default/);
        expect(found).toMatch(/track\/operational\/dump\.rdb: the password of track default/);
        await nexus.admin('track', 'vault', 'DEL', key);
        await until(async () => (await nexus.anonymous('track', 'operational', 'GET', key)) === null, 'replication');
        await nexus.admin('track', 'operational', 'SAVE');
        await nexus.admin('track', 'vault', 'BGREWRITEAOF');
        await until(async () => (await foundInFiles()).length === 0, 'the rewrite of the append-only file');
      }
    });

    it('in what was printed, in a log, and an old one as well as a new one', async () => {
      const { out } = await nexus.run('credentials', 'get', 'track');
      expect(findIn('printed', `before ${out} after`, passwords)).toContain('printed: the password of track default');
      const old = passwords.get('track replicator, old 1') ?? '';
      const log = join(nexus.dataRoot, 'planted.log');
      await appendFile(log, encodeURIComponent(old));
      const found = await foundInFiles();
      await rm(log);
      expect(found).toEqual([`${log}: the password of track replicator, old 1`]);
    });

    it('in JSON and in an error, also where it is coded', () => {
      const document = { schema: 'nexus3.error/1', error: { hint: Buffer.from(password()).toString('hex') } };
      expect(findIn('an error', JSON.stringify(document), passwords)).toEqual([
        'an error: the password of track default, in hex',
      ]);
    });
  });
}

/** What must have been among the files, so that none of them is forgotten. */
const KINDS_OF_FILES: readonly RegExp[] = [
  /locker\/vault\/appendonlydir\/appendonly\.aof\.\d+\.(base\.rdb|incr\.aof)/,
  /track\/vault\/appendonlydir\/appendonly\.aof\.\d+\.base\.rdb/,
  /notes\/vault\/appendonlydir\/appendonly\.aof\.\d+\.incr\.aof/,
  /track\/operational\/dump\.rdb/,
  /locker\/vault\/dump\.rdb/,
  /track\/config\/vault\/users\.acl/,
  /track\/config\/operational\/redis\.conf/,
  /root\.key/,
];

/** The key itself, without the words around it. */
async function rootKey(nexus: Nexus): Promise<string> {
  return (await readFile(join(nexus.root, 'root.key'), 'utf8')).split(' ')[1] ?? '';
}

/** `track admin`, and `track admin, old 1` for one that is no longer in force. */
function named(ever: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): Passwords {
  const found = new Map<string, string>();
  for (const [value, whose] of ever) {
    if (now.get(whose) === value) found.set(whose, value);
    else {
      let count = 1;
      while (found.has(`${whose}, old ${String(count)}`)) count += 1;
      found.set(`${whose}, old ${String(count)}`, value);
    }
  }
  return found;
}
