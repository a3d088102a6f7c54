/** No secret leaves Locker: after all that environments go through, no password is found where none may be. */
import { appendFile, chmod, mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Hands } from './break.js';
import { until } from './break.js';
import { freePortBlock, Nexus } from './nexus.js';
import type { NexusOptions } from './nexus.js';
import type { Hunted, Passwords } from './secret-hunt.js';
import { findIn, huntFiles, passwordsOf, Transcript } from './secret-hunt.js';

/**
 * @param huntRuntime in what the runtime shows of the instances: command lines, environments, `docker inspect`.
 */
export function describeSecrets(
  options: NexusOptions,
  hands: Hands,
  huntRuntime: (nexus: Nexus, passwords: Passwords) => Promise<Hunted>,
): void {
  let nexus: Nexus;
  let said: Transcript;
  /** Those in force now, and those that were. */
  let passwords: Passwords;

  beforeAll(async () => {
    nexus = await Nexus.make(options);
    said = new Transcript(nexus);
    await said.run('up');
    const before = await passwordsOf(nexus, ['locker', 'track']);
    await liveThrough();
    const after = await passwordsOf(nexus, ['locker', 'track', 'notes']);
    const replaced = [...before].filter(([whose, value]) => after.get(whose) !== value);
    passwords = new Map([...replaced.map(([whose, value]) => [`${whose}, the old one`, value] as const), ...after]);
  });
  afterAll(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  async function liveThrough(): Promise<void> {
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await nexus.admin('track', 'vault', 'GRAPH.QUERY', 'projects', "CREATE (:Project {name: 'nexus'})");
    const port = await freePortBlock(4);
    await said.run('create', 'notes', '--vault-port', String(port), '--json');
    await said.run('create', 'gone', '--vault-port', String(port + 2));
    await said.run('remove', 'gone', '--yes');
    // Exposed, found, and replaced.
    await nexus.admin('track', 'operational', 'ACL', 'SETUSER', 'default', '+config|get');
    await said.run('check', '--json');
    await said.run('check', '--dry-run');
    await said.run('check', '--fix', '--json');
    // Refused by a server, which repeats what it was told.
    await nexus.admin('track', 'vault', 'ACL', 'SETUSER', 'admin', 'resetpass', '>another-password');
    await said.run('check');
    await said.run('check', '--fix', '--json');
    await said.run('down', 'track');
    await said.run('up', 'track');
    await said.run('recover', 'track', '--yes', '--json');
    await hands.kill(nexus, 'track', 'vault');
    await said.run('up', '--json');
    await nexus.admin('track', 'vault', 'BGREWRITEAOF');
    await nexus.admin('track', 'operational', 'SAVE');
    await nexus.admin('locker', 'vault', 'SAVE');
    await said.run('status');
    await said.run('logs', 'track');
    await said.run('logs', 'track', '--json');
    await said.run('nonsense', '--json');
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value', 'replication');
    await nexus.report(0, 'check');
  }

  /** Redis needs it to log in at the vault. */
  const mayHold = (path: string, whose: string, mode: number): boolean =>
    /\/(track|notes)\/config\/operational\/redis\.conf$/.test(path) &&
    whose === `${/\/(track|notes)\/config\//.exec(path)?.[1] ?? ''} replicator` &&
    mode === 0o600;

  it('there are passwords to look for, each of them another', () => {
    expect(new Set(passwords.values()).size).toBeGreaterThanOrEqual(14);
    for (const password of passwords.values()) expect(password.length).toBeGreaterThanOrEqual(32);
    expect(passwords.has('track replicator, the old one'), 'replaced, because it was exposed').toBe(true);
  });

  it('none lies in a file: data, logs, records, configuration', async () => {
    const { files, found } = await huntFiles(nexus.root, passwords, mayHold);
    expect(files).toBeGreaterThan(30);
    expect(found).toEqual([]);
  });

  it('none was printed, for people or for scripts', () => {
    expect(said.text.length).toBeGreaterThan(5_000);
    expect(said.text).toMatch(/password-mismatch, vault/);
    expect(findIn('what was printed', said.text, passwords)).toEqual([]);
  });

  it('none can be seen from outside the servers', async () => {
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
      const password = passwords.get('track default') ?? '';
      await mkdir(join(planted, 'deep'), { recursive: true });
      await writeFile(join(planted, 'deep/file'), Buffer.concat([Buffer.from([0, 255]), Buffer.from(password)]));
      const { configDir } = await nexus.spec('track', 'operational');
      await chmod(join(configDir, 'redis.conf'), 0o640);
      const { found } = await huntFiles(nexus.root, passwords, mayHold);
      await chmod(join(configDir, 'redis.conf'), 0o600);
      await rm(planted, { recursive: true });
      expect(found.toSorted()).toEqual([
        `${join(configDir, 'redis.conf')}: the password of track replicator`,
        `${join(planted, 'deep/file')}: the password of track default`,
      ]);
    });

    it('in what was printed, and an old one as well as a new one', async () => {
      const { out } = await nexus.run('credentials', 'get', 'track');
      expect(findIn('printed', `before ${out} after`, passwords)).toContain('printed: the password of track default');
      const old = passwords.get('track replicator, the old one') ?? '';
      const log = join(nexus.dataRoot, 'planted.log');
      await appendFile(log, old);
      const { found } = await huntFiles(nexus.root, passwords, mayHold);
      await rm(log);
      expect(found).toEqual([`${log}: the password of track replicator, the old one`]);
    });
  });
}
