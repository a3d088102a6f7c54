/** Whatever the passwords and options: a real server takes the rendered users, and has in force exactly those. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { anyPassword } from '../../test/support/awkward.js';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { rounds } from '../../test/support/random.js';
import { startServer, type TestServer } from '../../test/support/redis-server.js';
import { CONFIG_FILE } from '../protocol/layout.js';
import { Secret } from '../protocol/secret.js';
import type { CredentialName, Credentials, TokenUser } from '../protocol/users.js';
import {
  acceptedHashes,
  compareUsers,
  CREDENTIAL_NAMES,
  LOCKER_KEY,
  parseAclUser,
  passwordHash,
  renderUsersAcl,
  usersOf,
} from '../protocol/users.js';
import { openConnection } from './connection.js';
import { ReplyError, textOf } from './replies.js';
import { openTextConnection } from './text-connection.js';

const TIMEOUT_MS = 300_000;
const ROUNDS = rounds(100, 1_500);

let server: TestServer;
/** What opens the administrator's user now. */
let admin: Secret;
beforeAll(async () => {
  await testEngine();
  admin = new Secret('the first administrator');
  const passwords = Object.fromEntries(CREDENTIAL_NAMES.map((name) => [name, admin]));
  server = await startServer({ role: 'vault', credentials: passwords as unknown as Credentials });
}, ENGINE_TIMEOUT_MS);
afterAll(() => server[Symbol.asyncDispose]());

const secret = (): fc.Arbitrary<Secret> => anyPassword().map((text) => new Secret(text));
const environmentName = (): fc.Arbitrary<string> => fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/);

const tokens = (): fc.Arbitrary<readonly { token: TokenUser; password: Secret }[]> =>
  fc
    .uniqueArray(fc.stringMatching(/^t_[0-9a-f]{8}$/), { maxLength: 5 })
    .chain((ids) =>
      fc.tuple(...ids.map((id) => fc.record({ id: fc.constant(id), env: environmentName(), password: secret() }))),
    )
    .map((all) =>
      all.map(({ id, env, password }) => ({ password, token: { id, env, passwordHash: passwordHash(password) } })),
    );

const credentials = (): fc.Arbitrary<Credentials> =>
  fc
    .tuple(
      fc.tuple(...CREDENTIAL_NAMES.map(() => secret())),
      fc.array(fc.constantFrom(...CREDENTIAL_NAMES)),
      fc.array(secret(), { minLength: CREDENTIAL_NAMES.length, maxLength: CREDENTIAL_NAMES.length }),
    )
    .map(([five, also, others]) => {
      const entries = CREDENTIAL_NAMES.map((name, index) => [name, five[index]]);
      const besides = [...new Set(also)].map((name, index) => [name, others[index]]);
      const made = Object.fromEntries(entries) as Credentials;
      return besides.length === 0
        ? made
        : { ...made, alsoAccepted: Object.fromEntries(besides) as Credentials['alsoAccepted'] & object };
    });

const options = fc.record({ fenced: fc.boolean(), withoutGraphs: fc.boolean() });

async function load(text: string): Promise<readonly string[]> {
  await writeFile(join(server.configDir, CONFIG_FILE.usersAcl), text, { mode: 0o600 });
  using connection = await openConnection(server.address, { user: 'admin', password: admin });
  expect(await connection.send(['ACL', 'LOAD'])).toBe('OK');
  return text.trimEnd().split('\n');
}

async function inForce(): Promise<readonly string[]> {
  const connection = await openTextConnection(server.address, { user: 'admin', password: admin });
  try {
    const [users] = await connection.ask([['ACL', 'LIST']]);
    return users as readonly string[];
  } finally {
    connection.close();
  }
}

async function opens(user: string, password: Secret): Promise<boolean> {
  using connection = await openConnection(server.address, undefined);
  return !((await connection.send(['AUTH', user, password])) instanceof ReplyError);
}

describe('rendered users on a real server', () => {
  it(
    'are in force to the word, and opened by what they are to be opened by',
    async () => {
      const kinds = fc.constantFrom('standard' as const, 'secure' as const);
      await fc.assert(
        fc.asyncProperty(credentials(), tokens(), options, kinds, async (given, grants, chosen, kind) => {
          const all: Credentials = { ...given, tokenUsers: grants.map(({ token }) => token) };
          const rendered = await load(renderUsersAcl('vault', kind, all, chosen));
          admin = all.admin;
          const users = await inForce();
          expect(users).toHaveLength(rendered.length);
          expect(compareUsers(rendered, users)).toEqual([]);
          expect(users.map(parseAclUser)).toEqual(expect.arrayContaining(rendered.map(parseAclUser)));
          for (const { name, credential } of usersOf('vault', kind)) {
            if (credential === undefined) continue;
            const isOut = chosen.fenced && (name === 'default' || name === 'replicator');
            for (const password of [all[credential], also(all, credential)]) {
              if (password !== undefined) expect(await opens(name, password), name).toBe(!isOut);
            }
            expect(await opens(name, new Secret(`${all[credential].reveal()} `)), `${name}, another`).toBe(false);
            expect(acceptedHashes(all, credential).length).toBeGreaterThan(0);
          }
          for (const { token, password } of grants) await isBound(token, password);
        }),
        { numRuns: ROUNDS },
      );
    },
    TIMEOUT_MS,
  );

  it(
    'are those of an operational, too',
    async () => {
      await fc.assert(
        fc.asyncProperty(credentials(), fc.boolean(), async (all, withoutGraphs) => {
          const rendered = await load(renderUsersAcl('operational', 'standard', all, { withoutGraphs }));
          admin = all['operational-admin'];
          expect(compareUsers(rendered, await inForce())).toEqual([]);
          expect(await opens('default', new Secret('anything'))).toBe(true);
          for (const password of [admin, also(all, 'operational-admin')]) {
            if (password !== undefined) expect(await opens('admin', password)).toBe(true);
          }
        }),
        { numRuns: ROUNDS },
      );
    },
    TIMEOUT_MS,
  );
});

function also(all: Credentials, name: CredentialName): Secret | undefined {
  return all.alsoAccepted?.[name];
}

/** It reads its environment's hash, writes its notes, and nothing else. */
async function isBound({ id, env }: TokenUser, password: Secret): Promise<void> {
  using connection = await openConnection(server.address, { user: id, password });
  const say = async (...words: readonly string[]): Promise<string> => {
    const reply = await connection.send(words);
    return reply instanceof ReplyError ? reply.kind : (textOf(reply) ?? 'yes');
  };
  const [own, inbox] = [LOCKER_KEY.environment(env), LOCKER_KEY.inbox(id)];
  expect(await say('PING')).toBe('PONG');
  expect(await say('HGETALL', own)).toBe('yes');
  expect(await say('XADD', inbox, '*', 'a', 'b')).toMatch(/^\d+-\d+$/);
  for (const words of [
    ['HGETALL', `${own}x`],
    ['HGETALL', LOCKER_KEY.environment('*')],
    ['HGETALL', inbox],
    ['XADD', own, '*', 'a', 'b'],
    ['XADD', `${inbox}0`, '*', 'a', 'b'],
    ['HSET', own, 'a', 'b'],
    ['XRANGE', inbox, '-', '+'],
    ['DEL', inbox],
    ['KEYS', '*'],
    ['ACL', 'WHOAMI'],
    ['PUBLISH', 'a', 'b'],
    ['CONFIG', 'GET', '*'],
  ]) {
    expect(await say(...words), words.join(' ')).toBe('NOPERM');
  }
}
