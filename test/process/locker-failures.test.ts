/**
 * Everything that can be wrong with Locker and its root key, made for real: each has its own error, in every command; none
 * shows a value; and what its hint says to do, done, is the way out.
 */
import { chmod, cp, mkdir, readFile, rename, rm, rmdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import { deriveOwnCredentials } from '../../src/locker/derive.js';
import { RootKey } from '../../src/locker/root-key.js';
import { LOCKER_KEY } from '../../src/protocol/users.js';
import { PROCESS_HANDS } from '../support/break.js';
import { Nexus } from '../support/nexus.js';
import { bounded, hasNoStackTrace, refused } from '../support/refusal.js';
import { run } from '../support/run.js';
import { findIn, passwordsOf } from '../support/secret-hunt.js';

const COMMAND_TIMEOUT_MS = 10_000;
const TRACK = LOCKER_KEY.environment('track');
const WEB = LOCKER_KEY.environment('web');
/** What somebody sets by hand. */
const ANOTHER = 'another-password-set-by-hand';
const otherKey = RootKey.generate();

interface Failure {
  readonly what: string;
  readonly code: ErrorCode;
  /** What the evidence names. */
  readonly evidence: RegExp;
  /** The way out that the hint names… */
  readonly hint: RegExp;
  readonly make: () => Promise<void>;
  /** …and that is gone. @param hint as it was printed */
  readonly wayOut: (hint: string) => Promise<void>;
  /** `up` is the way out, not a failure. */
  readonly upRepairs?: boolean;
  /** Only what Locker holds for `track` is damaged: the others are looked at as ever. */
  readonly ofTrack?: boolean;
}

let nexus: Nexus;
/** Everything that may not be shown, with whose it is. */
let secrets: Map<string, string>;
let keyText: string;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard', web: 'secure' } });
  await nexus.report(0, 'up');
  keyText = await readFile(keyFile(), 'utf8');
  secrets = new Map(await passwordsOf(nexus, ['locker', 'track', 'web']));
  secrets.set('nobody', ANOTHER);
  for (const [name, secret] of Object.entries(deriveOwnCredentials(otherKey)))
    secrets.set(`other ${name}`, String(secret));
  for (const [name, text] of [
    ['the root key', keyText],
    ['another root key', otherKey.toText()],
  ] as const) {
    secrets.set(name, text.split(' ')[1] ?? '');
  }
  await nexus.report(0, 'down', 'locker');
  await cp(await lockerData(), copyOfData(), { recursive: true });
  await nexus.report(0, 'up', 'locker');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});
/** The way out was one. */
afterEach(async () => {
  await nexus.report(0, 'check');
  expect(await readFile(keyFile(), 'utf8')).toBe(keyText);
});

const keyFile = (): string => join(nexus.root, 'root.key');
const copyOfData = (): string => join(nexus.root, 'copy-of-locker');
const lockerData = async (): Promise<string> => (await nexus.spec('locker', 'vault')).dataDir;

async function askLocker(...command: readonly string[]): Promise<unknown> {
  return nexus.admin('locker', 'vault', ...command);
}

async function onLocker(...command: readonly string[]): Promise<void> {
  await askLocker(...command);
}

async function upLocker(): Promise<void> {
  await nexus.report(0, 'up', 'locker');
}

async function field(key: string, name: string): Promise<string> {
  return String(await askLocker('HGET', key, name));
}

async function setField(key: string, name: string, text: string): Promise<void> {
  await onLocker('HSET', key, name, text);
}

async function putKeyBack(): Promise<void> {
  await rm(keyFile(), { force: true, recursive: true });
  await writeFile(keyFile(), keyText, { mode: 0o600 });
}

/** As PUT_BACK says. */
async function putDataBack(): Promise<void> {
  await nexus.report(0, 'down', 'locker');
  await rm(await lockerData(), { recursive: true });
  await cp(copyOfData(), await lockerData(), { recursive: true });
  const { code, out, err } = await nexus.run('recover', 'locker', '--vault', '--accept-loss', '--yes');
  expect(code, out + err).toBe(0);
}

async function fixLocker(): Promise<void> {
  await nexus.report(0, 'check', 'locker', '--fix');
}

/** A letter in the middle of what is sealed. */
function changed(text: string): string {
  const at = text.length - 20;
  return `${text.slice(0, at)}${text.charAt(at) === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
}

const SERVER: readonly Failure[] = [
  {
    what: 'Locker killed',
    code: 'LOCKER_UNREACHABLE',
    evidence: /does not run/,
    hint: /nexus3 up locker/,
    make: () => PROCESS_HANDS.kill(nexus, 'locker', 'vault'),
    wayOut: upLocker,
    upRepairs: true,
  },
  {
    what: 'Locker with another password for nexus3',
    code: 'LOCKER_PASSWORD_REFUSED',
    evidence: /WRONGPASS[^]*root key is the one/,
    hint: /nexus3 check locker --fix/,
    make: () => onLocker('ACL', 'SETUSER', 'default', 'resetpass', `>${ANOTHER}`),
    wayOut: fixLocker,
  },
  {
    what: 'Locker with its user for nexus3 switched off',
    code: 'LOCKER_PASSWORD_REFUSED',
    evidence: /disabled/,
    hint: /nexus3 check locker --fix/,
    make: () => onLocker('ACL', 'SETUSER', 'default', 'off'),
    wayOut: fixLocker,
  },
  {
    what: 'Locker with a user for nexus3 that may not read',
    code: 'LOCKER_PASSWORD_REFUSED',
    evidence: /NOPERM/,
    hint: /nexus3 check locker --fix/,
    make: () => onLocker('ACL', 'SETUSER', 'default', '-hgetall', '-ping'),
    wayOut: fixLocker,
  },
  {
    what: 'Locker with other passwords for nexus3 and the administrator',
    code: 'LOCKER_PASSWORD_REFUSED',
    evidence: /WRONGPASS/,
    hint: /nexus3 down locker`, then `nexus3 up locker/,
    async make() {
      await onLocker('ACL', 'SETUSER', 'default', 'resetpass', `>${ANOTHER}`);
      await onLocker('ACL', 'SETUSER', 'admin', 'resetpass', `>${ANOTHER}`);
    },
    async wayOut() {
      await nexus.run('down', 'locker');
      await nexus.report(0, 'up', 'locker');
    },
  },
];

const ROOT_KEY: readonly Failure[] = [
  {
    what: 'the root key gone',
    code: 'ROOT_KEY_MISSING',
    evidence: /root\.key/,
    hint: /Put the root key back there/,
    make: () => rename(keyFile(), `${keyFile()}.away`),
    wayOut: () => rename(`${keyFile()}.away`, keyFile()),
  },
  {
    what: 'the root key gone, and said where it is',
    code: 'ROOT_KEY_MISSING',
    evidence: /root\.key/,
    hint: /\$NEXUS3_ROOT_KEY_FILE/,
    make: () => rename(keyFile(), `${keyFile()}.away`),
    async wayOut() {
      const env = { NEXUS3_ROOT_KEY_FILE: `${keyFile()}.away` };
      expect((await nexus.runWith({ env }, 'check')).code).toBe(0);
      await rename(`${keyFile()}.away`, keyFile());
    },
  },
  {
    what: 'another root key',
    code: 'ROOT_KEY_WRONG',
    evidence: /users\.acl/,
    hint: /Put the right root key there[^]*locker import[^]*locker reset/,
    make: () => writeFile(keyFile(), otherKey.toText()),
    wayOut: putKeyBack,
  },
  {
    what: 'a root key that others can read',
    code: 'ROOT_KEY_UNSAFE',
    evidence: /mode is 0644/,
    hint: /chmod 600/,
    make: () => chmod(keyFile(), 0o644),
    async wayOut(hint) {
      const command = /chmod 600 [^\s]+\/root\.key/.exec(hint)?.[0] ?? 'false';
      await run('sh', ['-c', command], { timeoutMs: COMMAND_TIMEOUT_MS });
    },
  },
  {
    what: 'a root key cut short',
    code: 'ROOT_KEY_INVALID',
    evidence: /cut short or was edited/,
    hint: /Put the right one back/,
    make: () => writeFile(keyFile(), keyText.slice(0, 40)),
    wayOut: putKeyBack,
  },
  {
    what: 'an empty root key',
    code: 'ROOT_KEY_INVALID',
    evidence: /it is empty/,
    hint: /Put the right one back/,
    make: () => writeFile(keyFile(), ''),
    wayOut: putKeyBack,
  },
  {
    what: 'a folder in place of the root key',
    code: 'ROOT_KEY_UNSAFE',
    evidence: /not a plain file/,
    hint: /Put a plain file there/,
    async make() {
      await rm(keyFile());
      await mkdir(keyFile());
    },
    async wayOut() {
      await rmdir(keyFile());
      await putKeyBack();
    },
  },
  {
    what: 'a link in place of the root key',
    code: 'ROOT_KEY_UNSAFE',
    evidence: /symbolic link/,
    hint: /Put the file itself there/,
    async make() {
      await rename(keyFile(), `${keyFile()}.away`);
      await symlink(`${keyFile()}.away`, keyFile());
    },
    wayOut: () => rename(`${keyFile()}.away`, keyFile()),
  },
];

const DATA_HINT = /`nexus3 down locker`[^]*`nexus3 recover locker --vault --accept-loss`[^]*locker reset/;

/** Of Locker’s data, changed by whoever can write there. */
const DATA: readonly Omit<Failure, 'hint' | 'wayOut'>[] = [
  {
    what: 'a value changed',
    code: 'LOCKER_VALUE_TAMPERED',
    evidence: /track: value:default/,
    make: async () => setField(TRACK, 'value:default', changed(await field(TRACK, 'value:default'))),
  },
  {
    what: 'a value cut short',
    code: 'LOCKER_VALUE_TAMPERED',
    evidence: /track: value:default/,
    make: async () => setField(TRACK, 'value:default', (await field(TRACK, 'value:default')).slice(0, -8)),
  },
  {
    what: 'a value replaced by another user’s',
    code: 'LOCKER_VALUE_MOVED',
    evidence: /track: value:default holds what was sealed as value:admin/,
    make: async () => setField(TRACK, 'value:default', await field(TRACK, 'value:admin')),
  },
  {
    what: 'a value replaced by the one before it',
    code: 'LOCKER_VALUE_MOVED',
    evidence: /track: value:default holds what was sealed as previous:default/,
    async make() {
      await using world = await nexus.world();
      const store = await world.locker.open();
      const now = world.clock.now();
      await store.prepareRotation('track', ['default'], now);
      await store.promoteRotation('track', now, now);
      await store.finishRotation('track');
      await setField(TRACK, 'value:default', await field(TRACK, 'previous:default'));
    },
  },
  {
    what: 'a value replaced by another environment’s',
    code: 'LOCKER_VALUE_MOVED',
    evidence: /track: value:default holds what was sealed as value:default of web/,
    make: async () => setField(TRACK, 'value:default', await field(WEB, 'value:default')),
  },
  {
    what: 'a value made out to be a later one',
    code: 'LOCKER_VALUE_MOVED',
    evidence: /track: value:default holds what was sealed as version 1 of value:default/,
    make: async () =>
      setField(TRACK, 'value:default', (await field(TRACK, 'value:default')).replace(/^v2\.1\./, 'v2.7.')),
  },
  {
    what: 'the data key replaced by another environment’s',
    code: 'LOCKER_VALUE_MOVED',
    evidence: /track: data-key holds what was sealed as data-key of web/,
    make: async () => setField(TRACK, 'data-key', await field(WEB, 'data-key')),
  },
  {
    what: 'the data key changed',
    code: 'LOCKER_VALUE_TAMPERED',
    evidence: /track: data-key/,
    make: async () => setField(TRACK, 'data-key', changed(await field(TRACK, 'data-key'))),
  },
  {
    what: 'the data key gone',
    code: 'LOCKER_VALUE_UNREADABLE',
    evidence: /track: its data key is gone/,
    make: () => onLocker('HDEL', TRACK, 'data-key'),
  },
];

const FAILURES: readonly Failure[] = [
  ...SERVER,
  ...ROOT_KEY,
  ...DATA.map((failure) => ({ ...failure, hint: DATA_HINT, wayOut: putDataBack, ofTrack: true })),
  // Of the audit and of tokens: audit-and-token-failures.test.ts.
];

describe('each failure of Locker has its own error with a way out, and shows no value:', () => {
  it.each(FAILURES.map((failure) => [failure.what, failure.code, failure] as const))(
    '%s: %s',
    async (_, code, failure) => {
      let said = '';
      const told = async (...words: readonly string[]): ReturnType<Nexus['run']> => {
        const result = await bounded(words.join(' '), () => nexus.run(...words));
        said += `$ nexus3 ${words.join(' ')}\n${result.out}${result.err}`;
        return result;
      };
      await failure.make();
      let hint = '';
      try {
        const { message, evidence, hint: way } = await refused(told, ['credentials', 'get', 'track'], code);
        hint = way;
        expect([message, ...evidence].join('\n')).toMatch(failure.evidence);
        expect(hint).toMatch(failure.hint);

        const commands = [['check'], ['status'], ...(failure.upRepairs === true ? [] : [['up'], ['up', 'track']])];
        for (const words of commands) {
          const { code: exit, out } = await told(...words, '--json');
          expect(exit, `${words.join(' ')}\n${out}`).toBe(failure.ofTrack === true ? 1 : 3);
          const { lockerError, environments } = JSON.parse(out) as Awaited<ReturnType<Nexus['report']>>;
          const track = environments.find(({ name }) => name === 'track');
          if (failure.ofTrack === true) {
            const finding = { code: 'credential-unreadable', evidence: { code }, remedy: hint, fixable: false };
            expect([lockerError, track?.findings], words.join(' ')).toMatchObject([null, [finding]]);
            const others = environments.filter(({ name }) => name !== 'track');
            expect(others.map(({ ok }) => ok)).toEqual(others.map(() => true));
          } else expect(lockerError, words.join(' ')).toMatchObject({ code, hint });
          expect(track?.vault.state, 'what can be seen without Locker').toBe('locked');
          expect(track?.operational?.state, 'what can be seen without Locker').toBe('locked');
          await told(...words);
        }
        const logs = await told('logs', 'track');
        expect(logs.code, logs.err).toBe(0);
        hasNoStackTrace(said, failure.what);
        expect(findIn(failure.what, said, secrets)).toEqual([]);
      } finally {
        await failure.wayOut(hint);
      }
    },
  );
});

describe('another root key', () => {
  it('is never put in force, whatever is run and whether Locker runs or not', async () => {
    const rendered = await nexus.configText('locker', 'vault', 'users.acl');
    await writeFile(keyFile(), otherKey.toText());
    for (const isDown of [false, true]) {
      if (isDown) await PROCESS_HANDS.stop(nexus, 'locker', 'vault');
      for (const words of [['up'], ['up', 'locker'], ['check', '--fix']]) {
        const { code, out } = await bounded(words.join(' '), () => nexus.run(...words, '--json'));
        expect(code, `${words.join(' ')}\n${out}`).toBe(3);
        expect(out, words.join(' ')).toContain('ROOT_KEY_WRONG');
        expect(await nexus.configText('locker', 'vault', 'users.acl'), words.join(' ')).toBe(rendered);
      }
    }
    await refused((...words) => nexus.run(...words), ['credentials', 'get', 'locker'], 'ROOT_KEY_WRONG');
    await refused((...words) => nexus.run(...words), ['credentials', 'get', 'track'], 'LOCKER_UNREACHABLE');
    await putKeyBack();
    await nexus.report(0, 'up', 'locker');
  });
});
