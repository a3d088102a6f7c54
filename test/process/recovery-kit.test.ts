/** The recovery kit: made, opened by `age` itself, and Locker brought back from it, here and on another host. */
import { AGE, findOrInstall, PYTHON } from '../support/debian-program.js';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { armor, Decrypter, Encrypter, generateIdentity, identityToRecipient } from 'age-encryption';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RootKey } from '../../src/locker/root-key.js';
import { PROCESS_HANDS, until } from '../support/break.js';
import { runCommand } from '../support/command.js';
import { codesOf, findingOf, findingsOf, Nexus } from '../support/nexus.js';
import { chance, instant, rounds, SEED } from '../support/random.js';

const PASSPHRASE = 'four words at random';
const KILLS_IN_CI = 2;
const KILLS_IN_SOAK = 50;
const MINUTE_MS = 60_000;

let nexus: Nexus;
let kit: string;
/** The same, sealed so that it opens in no time. */
let quick: string;
let password: string;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard', user: 'secure' } });
  kit = join(nexus.root, 'kit.age');
  quick = join(nexus.root, 'quick.age');
  await nexus.report(0, 'up');
  password = await nexus.password('track');
  await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
  await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value', 'replication');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

const keyFile = (): string => join(nexus.root, 'root.key');

/** What is sealed with less work than is good for a kit. */
async function seal(content: unknown): Promise<string> {
  const encrypter = new Encrypter();
  encrypter.setPassphrase(PASSPHRASE);
  encrypter.setScryptWorkFactor(10);
  return armor.encode(await encrypter.encrypt(typeof content === 'string' ? content : JSON.stringify(content)));
}

async function opened(text: string): Promise<string> {
  const decrypter = new Decrypter();
  decrypter.addPassphrase(PASSPHRASE);
  return decrypter.decrypt(armor.decode(text), 'text');
}

const hasAge = (await findOrInstall(AGE)) && (await findOrInstall(PYTHON));

async function refused(on: Nexus, code: string, file: string, passphrase = PASSPHRASE): Promise<void> {
  const { code: exit, out, err } = await on.runWith({ stdin: passphrase }, 'locker', 'import', file, '--json');
  expect(exit, err).not.toBe(0);
  const { error } = JSON.parse(out) as { error: { code: string; hint: string } };
  expect(error.code, out).toBe(code);
  expect(out).not.toContain(password);
}

describe('a kit is made', () => {
  it('until then, check says that there is none, and all is well all the same', async () => {
    const report = await nexus.report(0, 'check');
    expect(report.ok).toBe(true);
    expect(findingOf(report, 'locker', 'recovery-kit-missing')).toMatchObject({
      severity: 'info',
      instance: 'vault',
      evidence: { kit: 'missing' },
    });
    const { out } = await nexus.run('check', 'locker');
    expect(out).toContain('recovery-kit-missing');
    expect(out).toContain('All is well.');
  });

  it('not with a short passphrase', async () => {
    const { code, err } = await nexus.runWith({ stdin: 'too short' }, 'locker', 'export', '--recovery', kit);
    expect(code).toBe(2);
    expect(err).toContain('12 characters');
    expect(await readdir(nexus.root)).not.toContain('kit.age');
  });

  it('whole, for its owner alone, and check is silent from then on', async () => {
    const { code, out, err } = await nexus.runWith(
      { stdin: `${PASSPHRASE}\n` },
      ...['locker', 'export', '--recovery', 'kit.age', '--json'],
    );
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, file: kit, environments: 2, values: 8 });
    expect((await stat(kit)).mode & 0o777).toBe(0o600);
    const text = await readFile(kit, 'utf8');
    expect(text).toMatch(/^-----BEGIN AGE ENCRYPTED FILE-----\n[\s\S]*-----END AGE ENCRYPTED FILE-----\n$/);
    expect(text).not.toContain(password);
    await writeFile(quick, await seal(await opened(text)));
    for (const envs of [[], ['locker']]) {
      const report = await nexus.report(0, 'check', ...envs);
      expect(findingsOf(report, 'locker').map(({ code: finding }) => finding)).toEqual([]);
    }
  });

  it('never over a file that is there, unless it is said', async () => {
    const before = await readFile(kit, 'utf8');
    const again = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'export', '--recovery', 'kit.age');
    expect(again.code).toBe(2);
    expect(again.err).toContain('--force');
    expect(await readFile(kit, 'utf8')).toBe(before);
    const forced = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'export', '--recovery', 'kit.age', '--force');
    expect(forced.code, forced.err).toBe(0);
    expect(await readFile(kit, 'utf8')).not.toBe(before);
  });

  it.skipIf(!hasAge)('age opens it, and a person can read the passwords in it', async () => {
    const { code, output } = await age(kit, PASSPHRASE);
    expect(code, output).toBe(0);
    const document = JSON.parse(output.slice(output.indexOf('{'))) as { schema: string; rootKey: string };
    expect(document.schema).toBe('nexus3.recovery-kit/1');
    expect(document.rootKey).toBe((await readFile(keyFile(), 'utf8')).trim());
    expect(output).toContain(password);
  });
});

describe('the root key is lost', () => {
  it('a kit brings it back; nothing else changes', async () => {
    const key = await readFile(keyFile(), 'utf8');
    await rm(keyFile());
    const { code, out, err } = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'import', 'kit.age', '--json');
    expect(code, err).toBe(0);
    expect(JSON.parse(out)).toMatchObject({ ok: true, rootKey: 'installed', added: [], kept: [], replaced: [] });
    expect(await readFile(keyFile(), 'utf8')).toBe(key);
    expect((await stat(keyFile())).mode & 0o777).toBe(0o600);
    expect(await nexus.password('track')).toBe(password);
    expect(codesOf(await nexus.report(0, 'check'), 'locker')).toEqual([]);
  });

  it('one that is damaged, or another one, is kept beside it', async () => {
    for (const other of ['damaged\n', RootKey.generate().toText()]) {
      await writeFile(keyFile(), other, { mode: 0o600 });
      const { code, out, err } = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'import', 'quick.age', '--json');
      expect(code, err).toBe(0);
      const { keptRootKey } = JSON.parse(out) as { keptRootKey: string };
      expect(await readFile(keptRootKey, 'utf8')).toBe(other);
      await rm(keptRootKey);
      expect(await nexus.password('track')).toBe(password);
    }
  });

  it('what lies beside it and is not nexus3’s stays, and so does what is remembered of the audit', async () => {
    const bak = `${keyFile()}.bak`;
    await cp(keyFile(), bak);
    const head = await readFile(`${keyFile()}.audit-head`, 'utf8');
    await rm(keyFile());
    await writeFile(`${keyFile()}.next`, RootKey.generate().toText(), { mode: 0o600 });
    const { code, err } = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'import', 'quick.age');
    expect(code, err).toBe(0);
    const names = (await readdir(nexus.root)).filter((name) => name.startsWith('root.key')).toSorted();
    expect(names).toEqual([
      ...['root.key', 'root.key.audit-head', 'root.key.bak'],
      expect.stringMatching(/^root\.key\.next\.lost-/),
    ]);
    expect(head).not.toBe('');
    const verified = await nexus.run('locker', 'audit', '--verify');
    expect(verified.code, verified.out).toBe(0);
    for (const name of names.slice(2)) await rm(join(nexus.root, name));
  });

  it('its folder is made where that is gone, too', async () => {
    const env = { NEXUS3_ROOT_KEY_FILE: join(nexus.root, 'gone', 'with', 'it', 'root.key') };
    const { code, err } = await nexus.runWith({ stdin: PASSPHRASE, env }, 'locker', 'import', 'quick.age');
    expect(code, err).toBe(0);
    expect(await readFile(env.NEXUS3_ROOT_KEY_FILE, 'utf8')).toBe(await readFile(keyFile(), 'utf8'));
    await rm(join(nexus.root, 'gone'), { recursive: true });
  });

  it('what Locker has lost is added; what differs stays, unless the kit’s is wanted', async () => {
    const hash = 'nexus3:locker:l_e0dd:env:user';
    await nexus.admin('locker', 'vault', 'DEL', hash);
    await nexus.admin('locker', 'vault', 'HDEL', 'nexus3:locker:l_e0dd:env:track', 'value:backup');
    await using world = await nexus.world();
    const store = await world.locker.open();
    const made = await store.generate('user', ['default'], new Date());
    const first = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'import', 'quick.age', '--json');
    expect(first.code, first.err).toBe(0);
    expect(JSON.parse(first.out)).toMatchObject({
      rootKey: 'same',
      added: ['l_e0dd/track.backup', 'l_e0dd/user.admin', 'l_e0dd/user.backup'],
      kept: ['l_e0dd/user.default'],
      replaced: [],
    });
    expect(await nexus.password('user')).toBe(made.default?.reveal());
    const second = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'import', 'quick.age', '--overwrite', '--json');
    expect(JSON.parse(second.out)).toMatchObject({ added: [], kept: [], replaced: ['l_e0dd/user.default'] });
    await nexus.report(0, 'check');
  });
});

describe('what is no kit, or not the right one, each has its own error and changes nothing', () => {
  const write = async (name: string, content: string | Uint8Array): Promise<string> => {
    await writeFile(join(nexus.root, name), content);
    return name;
  };
  it('not there', () => refused(nexus, 'KIT_NOT_FOUND', 'nowhere.age'));
  it('another passphrase', () => refused(nexus, 'KIT_PASSPHRASE_WRONG', quick, 'four other words'));
  it('cut short', async () => {
    const text = await readFile(quick, 'utf8');
    await refused(nexus, 'KIT_DAMAGED', await write('cut.age', text.slice(0, text.length / 2)));
    const bytes = armor.decode(text);
    for (const length of [bytes.length - 1, 120, 30]) {
      await refused(nexus, 'KIT_DAMAGED', await write('cut.age', armor.encode(bytes.slice(0, length))));
    }
  });
  it('changed', async () => {
    const bytes = armor.decode(await readFile(quick, 'utf8'));
    bytes[bytes.length - 20] = (bytes[bytes.length - 20] ?? 0) ^ 1;
    await refused(nexus, 'KIT_DAMAGED', await write('changed.age', armor.encode(bytes)));
  });
  it('what is no file is not waited for', async () => {
    await once(spawn('mkfifo', [join(nexus.root, 'pipe')]), 'close');
    for (const file of ['pipe', '/dev/zero', '.']) await refused(nexus, 'KIT_FOREIGN', file);
    const exported = await nexus.runWith({ stdin: PASSPHRASE }, 'locker', 'export', '--recovery', 'pipe');
    expect(exported.err).toContain('--force');
  });
  it('anything else', async () => {
    await refused(nexus, 'KIT_FOREIGN', await write('garbage', 'garbage\n'));
    await refused(nexus, 'KIT_FOREIGN', await write('empty', ''));
    await refused(nexus, 'KIT_FOREIGN', await write('letter.age', await seal('Dear Ada,')));
    const encrypter = new Encrypter();
    encrypter.addRecipient(await identityToRecipient(await generateIdentity()));
    await refused(nexus, 'KIT_FOREIGN', await write('for-a-key.age', await encrypter.encrypt('x')));
  });
  it('a document that cannot be true', async () => {
    const honest = JSON.parse(await opened(await readFile(quick, 'utf8'))) as {
      rootKey: string;
      hashes: { key: string }[];
    };
    const lies: readonly object[] = [
      { ...honest, rootKey: 'none' },
      { ...honest, rootKey: RootKey.generate().toText() },
      { ...honest, hashes: {} },
      { ...honest, hashes: [...honest.hashes, { key: 'somebody:else', fields: {}, values: [] }] },
      { ...honest, hashes: [...honest.hashes, ...honest.hashes] },
      { ...honest, hashes: [{ ...honest.hashes[0], values: [{ name: 'default' }] }] },
    ];
    for (const lie of lies) await refused(nexus, 'KIT_INVALID', await write('lie.age', await seal(lie)));
  });

  it('of another Locker: the one that is here stays as it is', async () => {
    await using other = await Nexus.make({ runtime: 'process', environments: {} });
    await other.report(0, 'up');
    const key = await readFile(join(other.root, 'root.key'), 'utf8');
    await refused(other, 'KIT_OTHER_KEY', quick);
    await rm(join(other.root, 'root.key'));
    await refused(other, 'KIT_OTHER_KEY', quick);
    expect(await readdir(other.root)).not.toContain('root.key');
    await writeFile(join(other.root, 'root.key'), key, { mode: 0o600 });
    await other.report(0, 'check');
  });
  it('and at the end all is as it was', async () => {
    expect(await nexus.password('track')).toBe(password);
    await nexus.report(0, 'check');
  });
});

describe('on another host', () => {
  it(
    'killed at any instant and run again: the environments come up with their old data and passwords',
    async () => {
      await nexus.report(0, 'check');
      await nexus.run('down');
      const kills = rounds(KILLS_IN_CI, KILLS_IN_SOAK);
      const random = chance(SEED);
      let usualMs: number | undefined;
      for (let kill = -1; kill < kills; kill += 1) {
        await using other = await Nexus.make({
          runtime: 'process',
          environments: { track: 'standard', user: 'secure' },
        });
        for (const folder of ['track/vault', 'track/operational', 'user/vault']) {
          await cp(join(nexus.dataRoot, folder), join(other.dataRoot, folder), { recursive: true });
        }
        const args = ['locker', 'import', quick];
        const afterMs = usualMs === undefined ? undefined : Math.floor(instant(random, kill, kills, 0.2) * usualMs);
        const where = `seed ${String(SEED)}, kill ${String(kill)} after ${String(afterMs)} ms`;
        const first = await runCommand(other, args, afterMs, PASSPHRASE);
        usualMs ??= first.ms;
        if (first.code !== 0) {
          const again = await runCommand(other, args, undefined, PASSPHRASE);
          expect(again.code, `${where}\n${again.output}`).toBe(0);
        }
        const up = await other.run('up');
        expect(up.code, `${where}\n${up.err}${up.out}`).toBe(0);
        expect(await other.password('track'), where).toBe(password);
        expect(await other.asApplication('track', password, 'GET', 'kept'), where).toBe('value');
        expect(await other.anonymous('track', 'operational', 'GET', 'kept'), where).toBe('value');
        const report = await other.report(0, 'check');
        for (const env of ['locker', 'track', 'user']) expect(codesOf(report, env), `${where}: ${env}`).toEqual([]);
        expect(findingsOf(report, 'locker').map(({ code }) => code)).toEqual([]);
      }
      await nexus.report(0, 'up');
    },
    rounds(KILLS_IN_CI, KILLS_IN_SOAK) * MINUTE_MS,
  );

  it('after a new root key, the kit is one of an earlier key: check says so', async () => {
    await nexus.report(0, 'up');
    expect((await nexus.run('locker', 'rekey')).code).toBe(0);
    const report = await nexus.report(0, 'check');
    expect(findingOf(report, 'locker', 'recovery-kit-missing').evidence).toEqual({ kit: 'outdated' });
    await PROCESS_HANDS.stop(nexus, 'locker', 'vault');
    await refused(nexus, 'KIT_OTHER_KEY', quick);
    await nexus.report(0, 'up');
    expect(await nexus.password('track')).toBe(password);
  });
});

/** Python gives `age` the terminal that it wants to be told the passphrase on. */
const ON_A_TERMINAL = `
import os, pty, sys
pid, fd = pty.fork()
if pid == 0:
    os.execvp('age', ['age', '-d', sys.argv[1]])
seen = b''
told = False
while True:
    try:
        part = os.read(fd, 65536)
    except OSError:
        break
    if not part:
        break
    seen += part
    if not told and b'assphrase' in seen:
        os.write(fd, sys.stdin.read().encode() + b'\\n')
        told = True
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;

async function age(
  file: string,
  passphrase: string,
): Promise<{ readonly code: number | null; readonly output: string }> {
  const child = spawn('python3', ['-c', ON_A_TERMINAL, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  child.stdin.end(passphrase);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString('utf8')));
  await once(child, 'close');
  return { code: child.exitCode, output };
}
