/**
 * What can be wrong with Locker's audit and with a token, made for real: each has its own error, none shows a value, and
 * what its hint says to do, done, is the way out. Of Locker itself and its root key: locker-failures.test.ts.
 */
import { chmod, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../src/errors.js';
import { Nexus } from '../support/nexus.js';
import { hasNoStackTrace, refused } from '../support/refusal.js';
import { run } from '../support/run.js';
import { findIn, passwordsOf } from '../support/secret-hunt.js';

const AUDIT_STREAM = 'nexus3:locker:audit';
const COMMAND_TIMEOUT_MS = 10_000;

interface Failure {
  readonly what: string;
  readonly code: ErrorCode;
  readonly command: () => readonly string[];
  /** What message and evidence name. */
  readonly evidence: RegExp;
  readonly hint: RegExp;
  readonly make: () => Promise<void>;
  /** After it the command does what it is for. @param hint as it was printed */
  readonly wayOut: (hint: string) => Promise<void>;
}

let nexus: Nexus;
let secrets: Map<string, string>;

const tokenFile = (): string => join(nexus.root, 'tokens', 'track.token');
const withToken = (env = 'track') => ['credentials', 'get', env, '--token', tokenFile()];

beforeAll(async () => {
  nexus = await Nexus.make({
    runtime: 'process',
    environments: { track: 'secure', web: 'secure' },
    yaml: 'settings: { appendfsync: always }',
  });
  await nexus.report(0, 'up');
  await succeeds('locker', 'grant', 'track');
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

async function succeeds(...args: readonly string[]): Promise<string> {
  const { code, out, err } = await nexus.run(...args);
  expect(code, `nexus3 ${args.join(' ')}\n${out}${err}`).toBe(0);
  return out;
}

/** As the hint says: a new one, in the place of the old one. */
async function grantAnew(hint: string): Promise<void> {
  const [, env] = /nexus3 locker grant (\w+)/.exec(hint) ?? [];
  await succeeds('locker', 'grant', env === undefined || env === 'ENV' ? 'track' : env);
}

async function entryIds(): Promise<readonly string[]> {
  const entries = (await nexus.admin('locker', 'vault', 'XRANGE', AUDIT_STREAM, '-', '+')) as readonly [string][];
  return entries.map(([id]) => id);
}

async function removeEntries(...ids: readonly (string | undefined)[]): Promise<void> {
  const removed = await nexus.admin('locker', 'vault', 'XDEL', AUDIT_STREAM, ...ids.map(String));
  expect(removed, 'entries removed').toBe(ids.length);
}

const AUDIT = {
  code: 'AUDIT_BROKEN',
  command: () => ['locker', 'audit', '--verify'],
  hint: /locker audit --limit[^]*nexus3 locker audit --begin-anew/,
  async wayOut(hint: string): Promise<void> {
    const words = /nexus3 (locker audit --begin-anew)/.exec(hint)?.[1]?.split(' ') ?? [];
    await succeeds(...words, '--yes');
  },
} as const;

const FAILURES: readonly Failure[] = [
  {
    ...AUDIT,
    what: 'entries of the audit removed from its middle',
    evidence: /not whole from entry \d+ on/,
    async make() {
      const ids = await entryIds();
      const middle = Math.floor(ids.length / 2);
      await removeEntries(...ids.slice(middle, middle + 2));
    },
  },
  {
    ...AUDIT,
    what: 'the last entry of the audit removed',
    evidence: /not whole from entry \d+ on/,
    make: async () => removeEntries((await entryIds()).at(-1)),
  },
  {
    what: 'a token gone',
    code: 'TOKEN_MISSING',
    command: withToken,
    evidence: /There is no token at .*track\.token/,
    hint: /--token or \$NEXUS3_TOKEN_FILE[^]*nexus3 locker grant/,
    make: () => rename(tokenFile(), `${tokenFile()}.away`),
    wayOut: grantAnew,
  },
  {
    what: 'a token that others can read',
    code: 'TOKEN_UNSAFE',
    command: withToken,
    evidence: /mode is 0644/,
    hint: /chmod 600/,
    make: () => chmod(tokenFile(), 0o644),
    async wayOut(hint) {
      const command = /chmod 600 [^\s]+\/track\.token/.exec(hint)?.[0] ?? 'false';
      await run('sh', ['-c', command], { timeoutMs: COMMAND_TIMEOUT_MS });
    },
  },
  {
    what: 'a token cut short',
    code: 'TOKEN_INVALID',
    command: withToken,
    evidence: /cut short or was edited/,
    hint: /move this one away[^]*nexus3 locker grant/,
    make: async () => writeFile(tokenFile(), (await readFile(tokenFile(), 'utf8')).slice(0, -8)),
    async wayOut(hint) {
      // What is no token is not overwritten: it may be somebody's.
      expect((await nexus.run('locker', 'grant', 'track')).code).not.toBe(0);
      await rename(tokenFile(), `${tokenFile()}.cut`);
      await grantAnew(hint);
    },
  },
  {
    what: 'a token that was taken back, and a copy of it',
    code: 'TOKEN_REVOKED',
    command: withToken,
    evidence: /Locker refuses the token t_/,
    hint: /nexus3 locker grants[^]*nexus3 locker grant track/,
    async make() {
      const copy = await readFile(tokenFile());
      await succeeds('locker', 'revoke', 'track');
      await writeFile(tokenFile(), copy, { mode: 0o600 });
    },
    wayOut: grantAnew,
  },
];

describe('each failure of the audit and of a token has its own error with a way out, and shows no value:', () => {
  /** What a token's holder must not show either. */
  async function remember(): Promise<void> {
    secrets = new Map(await passwordsOf(nexus, ['locker', 'track', 'web']));
    const words = [await readFile(tokenFile(), 'utf8'), await readFile(join(nexus.root, 'root.key'), 'utf8')];
    const [token, rootKey] = words.map((text) => text.split(' '));
    secrets.set('the token', token?.at(-2) ?? '');
    secrets.set('the root key', rootKey?.[1] ?? '');
  }

  async function isRefused({ what, code, command, evidence, hint }: Omit<Failure, 'make' | 'wayOut'>): Promise<string> {
    let said = '';
    const told = async (...words: readonly string[]): ReturnType<Nexus['run']> => {
      const result = await nexus.run(...words);
      said += `${result.out}${result.err}`;
      return result;
    };
    const error = await refused(told, command(), code);
    expect([error.message, ...error.evidence].join('\n')).toMatch(evidence);
    expect(error.hint).toMatch(hint);
    hasNoStackTrace(said, what);
    expect(findIn(what, said, secrets)).toEqual([]);
    return error.hint;
  }

  it.each(FAILURES.map((failure) => [failure.what, failure.code, failure] as const))(
    '%s: %s',
    async (_, __, failure) => {
      await remember();
      await failure.make();
      await failure.wayOut(await isRefused(failure));
      await succeeds(...failure.command());
      await nexus.report(0, 'check');
    },
  );

  it.each([
    ['another environment', ['web'], /it is for track/, /Name track, or another token/],
    ['another user', ['track', '--user', 'admin'], /does not open admin of track/, /nexus3 locker grant/],
  ])('a token asked for %s: TOKEN_NOT_FOR', async (what, [env = '', ...more], evidence, hint) => {
    await remember();
    const command = (): readonly string[] => [...withToken(env), ...more];
    await isRefused({ what, code: 'TOKEN_NOT_FOR', command, evidence, hint });
    await succeeds(...withToken());
  });
});
