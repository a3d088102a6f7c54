/** The rendered files against a real server: what is in force is what was rendered, to the word. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../test/support/engine.js';
import { startServer, TEST_CREDENTIALS, type TestServer } from '../../test/support/redis-server.js';
import type { EnvironmentKind, Role } from '../protocol/environment.js';
import { runtimeDirectives, sameDirectiveValue } from '../protocol/redis-conf.js';
import { DEFAULT_SETTINGS, type Settings } from '../protocol/settings.js';
import { compareUsers, renderUsersAcl } from '../protocol/users.js';
import { probeInstance } from './probe.js';

const SETTINGS: Settings = { ...DEFAULT_SETTINGS, maxmemory: '1gb', appendfsync: 'always', save: '900 1 60 1000' };

const CASES: readonly { role: Role; kind: EnvironmentKind; withoutModule: boolean }[] = [
  { role: 'vault', kind: 'standard', withoutModule: false },
  { role: 'vault', kind: 'secure', withoutModule: false },
  { role: 'operational', kind: 'standard', withoutModule: false },
  { role: 'vault', kind: 'standard', withoutModule: true },
  { role: 'operational', kind: 'standard', withoutModule: true },
];

describe.each(CASES)(
  'the rendered files of a $role ($kind, without module: $withoutModule)',
  ({ role, kind, withoutModule }) => {
    let server: TestServer;
    beforeAll(async () => {
      await testEngine();
      server = await startServer({ role, kind, withoutModule, settings: SETTINGS });
    }, ENGINE_TIMEOUT_MS);
    afterAll(() => server[Symbol.asyncDispose]());

    const look = async () => {
      const view = await probeInstance({
        address: server.address,
        adminPassword: TEST_CREDENTIALS[role === 'vault' ? 'admin' : 'operational-admin'],
        directives: runtimeDirectives(role, SETTINGS).map(({ name }) => name),
        masterauth: role === 'operational' ? TEST_CREDENTIALS.replicator : undefined,
      });
      if (view.state !== 'open') throw new Error(`it is ${view.state}`);
      return view;
    };

    it('are the users in force', async () => {
      const { server: seen } = await look();
      const rendered = renderUsersAcl(role, kind, TEST_CREDENTIALS, { withoutGraphs: withoutModule })
        .trimEnd()
        .split('\n');
      expect(seen.users).toHaveLength(rendered.length);
      expect(compareUsers(rendered, seen.users)).toEqual([]);
    });

    it('are the directives in force', async () => {
      const { server: seen } = await look();
      const wrong = runtimeDirectives(role, SETTINGS).filter(
        ({ name, value }) => !sameDirectiveValue(name, value, seen.config.get(name) ?? 'unknown to the server'),
      );
      expect(wrong).toEqual([]);
    });

    it('let nobody in who has no password, or to nothing that is secret', async () => {
      const { anonymous, server: seen } = await look();
      expect(anonymous).toEqual({ pingAnswered: role === 'operational', masterauthShown: false });
      expect(seen.masterauthMatches).toBe(role === 'operational' ? true : undefined);
      expect(seen.masteruser).toBe(role === 'operational' ? 'replicator' : undefined);
    });
  },
);
