/** Whatever the settings and passwords: a real server reads from the rendered redis.conf what was meant, and replicates. */
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { anyPassword, AWKWARD } from '../../test/support/awkward.js';
import { until } from '../../test/support/break.js';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { rounds } from '../../test/support/random.js';
import { startServer, type TestServer } from '../../test/support/redis-server.js';
import { quoteConf, runtimeDirectives, sameDirectiveValue } from '../protocol/redis-conf.js';
import { Secret } from '../protocol/secret.js';
import type { Settings } from '../protocol/settings.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import { makeCredentials } from '../protocol/users.js';
import { openTextConnection } from './text-connection.js';

const TIMEOUT_MS = 600_000;
const PRINTABLE_1024 = AWKWARD.find((text) => Buffer.byteLength(text) === 1024) ?? '';

beforeAll(async () => {
  await testEngine();
}, ENGINE_TIMEOUT_MS);

const memory = fc
  .tuple(fc.integer({ min: 64, max: 4_096 }), fc.constantFrom('mb', 'm', 'MB'))
  .map(([size, unit]) => `${String(size)}${unit}`);
const save = fc
  .array(fc.tuple(fc.integer({ min: 1, max: 90_000 }), fc.integer({ min: 1, max: 1_000_000 })), { maxLength: 4 })
  .map((points) => points.map((point) => point.join(' ')).join(' '));
const settings: fc.Arbitrary<Settings> = fc.record({
  maxmemory: fc.oneof(fc.constant('0'), memory),
  appendfsync: fc.constantFrom('always', 'everysec', 'no'),
  save,
  threads: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
  queryTimeoutMs: fc.option(fc.integer({ min: 1, max: 100_000 }), { nil: undefined }),
  queryQueueMax: fc.option(fc.integer({ min: 1, max: 10_000 }), { nil: undefined }),
  lagBytesMax: fc.constant(DEFAULT_SETTINGS.lagBytesMax),
  keepHistory: fc.boolean(),
});

async function ask(server: TestServer, password: Secret, ...command: readonly string[]): Promise<unknown> {
  const connection = await openTextConnection(server.address, { user: 'admin', password });
  try {
    return (await connection.ask([command]))[0];
  } finally {
    connection.close();
  }
}

async function configOf(server: TestServer, password: Secret, name: string): Promise<string> {
  const reply = await ask(server, password, 'CONFIG', 'GET', name);
  return String((reply as readonly unknown[])[1]);
}

describe('a rendered redis.conf', () => {
  it(
    'is read by a real server as it was meant, with any settings and any words in it',
    async () => {
      const role = fc.constantFrom('vault' as const, 'operational' as const);
      await fc.assert(
        fc.asyncProperty(role, settings, anyPassword(), anyPassword(), async (which, given, one, other) => {
          const credentials = makeCredentials(() => new Secret(one));
          // A directive that takes any text, to read another one back.
          const extraLines = [`syslog-ident ${quoteConf(other)}`];
          await using server = await startServer({ role: which, settings: given, credentials, extraLines });
          for (const { name, value } of runtimeDirectives(which, given)) {
            const actual = await configOf(server, credentials.admin, name);
            expect(sameDirectiveValue(name, value, actual), `${name} ${value}: ${actual}`).toBe(true);
          }
          expect(await configOf(server, credentials.admin, 'syslog-ident')).toBe(other);
          const masterauth = which === 'operational' ? one : '';
          expect(await configOf(server, credentials.admin, 'masterauth')).toBe(masterauth);
        }),
        { numRuns: rounds(6, 150) },
      );
    },
    TIMEOUT_MS,
  );

  it.each(
    [
      ['every printable character, 1,024 bytes long', PRINTABLE_1024],
      ...AWKWARD.filter((text) => text.length > 1 && text !== PRINTABLE_1024).map((text) => [
        JSON.stringify(text),
        text,
      ]),
    ].slice(0, rounds(4, 40)),
  )('replicates with a password of %s', { timeout: TIMEOUT_MS }, async (_, text = '') => {
    const credentials = makeCredentials((name) => new Secret(`${text}${name === 'replicator' ? '' : name}`));
    await using vault = await startServer({ role: 'vault', credentials });
    await using operational = await startServer({ role: 'operational', credentials, vault: vault.address });
    await ask(vault, credentials.admin, 'SET', 'kept', 'value');
    const arrived = async (): Promise<boolean> =>
      (await ask(operational, credentials['operational-admin'], 'GET', 'kept')) === 'value';
    await until(arrived, 'replication');
    const application = await openTextConnection(vault.address, { user: 'default', password: credentials.default });
    expect(await application.ask([['GET', 'kept']])).toEqual(['value']);
    application.close();
  });
});
