/**
 * What every runtime must do, as one suite that each adapter's own test file runs: `describeRuntime('docker', …)`. It
 * uses real servers, real rendered folders and raw connections; nothing is replaced.
 */
import { readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { failureOf } from '../../test/support/failure.js';
import { say } from '../../test/support/raw-redis.js';
import { PASSWORD, renderFolders } from '../../test/support/rendered-folders.js';
import type { Role } from '../protocol/environment.js';
import { instanceKey } from '../protocol/environment.js';
import { CONFIG_FILE } from '../protocol/layout.js';
import { HELD_EXIT } from '../protocol/start-script.js';
import type { RuntimeHarness } from './runtime-harness.conformance.js';
import type { InstanceRuntimeState, InstanceSpec, Runtime } from './runtime.js';
import { describeScratch } from './scratch.conformance.js';

export type { RuntimeHarness } from './runtime-harness.conformance.js';

const SETUP_TIMEOUT_MS = 300_000;
const TEST_TIMEOUT_MS = 90_000;
const SETTLE = { timeout: 30_000, interval: 100 };
/** Any server of a vault that has its users in force says this to a stranger. */
const NOAUTH = /^-NOAUTH/;

/** Runs the suite in the calling test file. `makeHarness` is called once, in beforeAll. */
export function describeRuntime(name: string, makeHarness: () => Promise<RuntimeHarness>): void {
  describe(`the ${name} runtime`, { timeout: TEST_TIMEOUT_MS }, () => {
    let harness: RuntimeHarness;
    let runtime: Runtime;
    const made: InstanceSpec[] = [];

    beforeAll(async () => {
      harness = await makeHarness();
      runtime = harness.runtime;
      await runtime.ready();
      await runtime.ensureNetwork();
    }, SETUP_TIMEOUT_MS);

    afterEach(async () => {
      for (const spec of made.splice(0)) await runtime.remove(spec);
    }, TEST_TIMEOUT_MS);

    afterAll(async () => {
      await runtime.close();
      await harness.cleanup();
    }, SETUP_TIMEOUT_MS);

    async function rendered(role: Role = 'vault'): Promise<InstanceSpec> {
      const spec = await harness.freshSpec(role);
      await renderFolders(runtime, spec, role);
      made.push(spec);
      return spec;
    }

    async function started(): Promise<InstanceSpec> {
      const spec = await rendered();
      await runtime.create(spec);
      await runtime.start(spec);
      return spec;
    }

    async function look(spec: InstanceSpec, by: Runtime = runtime): Promise<InstanceRuntimeState | undefined> {
      return (await by.observe([spec])).instances.get(instanceKey(spec.id));
    }

    async function expectServes(spec: InstanceSpec): Promise<void> {
      const address = { host: '127.0.0.1', port: spec.port };
      await expect.poll(() => say(address, 'PING'), SETTLE).toMatch(NOAUTH);
    }

    it('says of an instance that is not there that it is not there', async () => {
      const spec = await rendered();
      expect(await look(spec)).toBeUndefined();
      expect(await runtime.logs(spec, 10)).toEqual([]);
      await runtime.stop(spec);
      await runtime.remove(spec);
    });

    it('creates without starting, starts, and says where the server is', async () => {
      const spec = await rendered();
      await runtime.create(spec);
      expect(await look(spec)).toMatchObject({ id: spec.id, owned: true, state: 'stopped', pid: 0 });

      await runtime.start(spec);
      await expectServes(spec);
      const state = await look(spec);
      expect(state).toMatchObject({
        state: 'running',
        owned: true,
        exitCode: undefined,
        restartCount: 0,
        address: { host: '127.0.0.1', port: spec.port },
        exposedOn: undefined,
        differences: [],
        secretInArguments: false,
      });
      expect(state?.pid).toBeGreaterThan(1);
      expect(Date.parse(state?.startedAt ?? '')).toBeGreaterThan(Date.now() - TEST_TIMEOUT_MS);
    });

    it('leaves a running server alone when it is started again, and a stopped one when it is stopped again', async () => {
      const spec = await started();
      const before = await look(spec);
      await runtime.start(spec);
      expect(await look(spec)).toEqual(before);
      await runtime.stop(spec);
      expect(await look(spec)).toMatchObject({ state: 'stopped', pid: 0, endedUnexpectedly: false });
      await runtime.stop(spec);
      await runtime.start(spec);
      await expectServes(spec);
      expect((await look(spec))?.pid).not.toBe(before?.pid);
    });

    it('finds the server again in another command', async () => {
      const spec = await started();
      const second = harness.secondRuntime();
      try {
        await second.ready();
        expect(await look(spec, second)).toEqual(await look(spec));
        await second.stop(spec);
        expect(await look(spec)).toMatchObject({ state: 'stopped' });
      } finally {
        await second.close();
      }
    });

    it('keeps what was written through stop and start', async () => {
      const spec = await started();
      await expectServes(spec);
      const address = { host: '127.0.0.1', port: spec.port };
      expect(await say(address, `AUTH default ${PASSWORD}`, 'SET kept yes')).toBe('+OK');
      await runtime.stop(spec);
      await runtime.start(spec);
      await expect.poll(() => say(address, `AUTH default ${PASSWORD}`, 'STRLEN kept'), SETTLE).toBe(':3');
    });

    it('sees a killed server for what it is', async () => {
      const spec = await started();
      const before = await look(spec);
      process.kill(before?.pid ?? 0, 'SIGKILL');
      if (harness.restartsKilledServers) {
        await expect.poll(async () => (await look(spec))?.state, SETTLE).toBe('running');
        await expect.poll(async () => (await look(spec))?.pid, SETTLE).not.toBe(before?.pid);
      } else {
        await expect.poll(async () => (await look(spec))?.state, SETTLE).toBe('stopped');
        expect(await look(spec)).toMatchObject({ pid: 0, endedUnexpectedly: true });
        await runtime.start(spec);
      }
      await expectServes(spec);
    });

    it('shows a vault that the last-copy guard holds as held, and not as a failure to start', async () => {
      const spec = await started();
      await expectServes(spec);
      await runtime.stop(spec);
      for (const file of await readdir(spec.dataDir)) await rm(join(spec.dataDir, file), { recursive: true });
      await runtime.start(spec);
      // Docker starts it again and again: an exit code is only shown while it does not run, whatever comes next.
      await expect.poll(async () => (await look(spec))?.exitCode, SETTLE).toBe(HELD_EXIT);
      expect((await runtime.logs(spec, 20)).join('\n')).toContain('nexus3: held: vault-empty');
    });

    it('says why a server does not start', async () => {
      const spec = await rendered();
      await writeFile(join(spec.configDir, CONFIG_FILE.start), '#!/bin/sh\necho no such luck >&2\nexit 3\n');
      await runtime.create(spec);
      const failure = await failureOf(runtime.start(spec));
      expect(failure.code).toBe('START_FAILED');
      expect(failure.evidence.join('\n')).toContain('no such luck');
    });

    it('shows no password of a configuration that the server cannot read', async () => {
      const spec = await rendered();
      await writeFile(
        join(spec.configDir, CONFIG_FILE.redisConf),
        `port ${String(spec.port)}\nmasterauth a b ${PASSWORD}\n`,
      );
      await runtime.create(spec);
      const failure = await failureOf(runtime.start(spec));
      expect(failure.code).toBe('START_FAILED');
      const shown = [...failure.evidence, ...(await runtime.logs(spec, 100))].join('\n');
      expect(shown).toContain('masterauth');
      expect(shown).not.toContain(PASSWORD);
    });

    it('names the stranger who holds the port', async () => {
      const spec = await rendered();
      const stranger = createServer().listen(spec.port, '127.0.0.1');
      await once(stranger, 'listening');
      try {
        await runtime.create(spec);
        const failure = await failureOf(runtime.start(spec));
        expect(failure.code).toBe('PORT_TAKEN');
        const words = [failure.message, ...failure.evidence].join('\n');
        expect(words).toContain(String(spec.port));
        expect(words).toContain(String(process.pid));
        expect((await look(spec))?.state).toBe('stopped');
      } finally {
        stranger.close();
        await once(stranger, 'close');
      }
      await runtime.start(spec);
      await expectServes(spec);
    });

    it('reads logs from the end, and follows them', async () => {
      const spec = await started();
      await expectServes(spec);
      await expect
        .poll(async () => (await runtime.logs(spec, 50)).join('\n'), SETTLE)
        .toContain('Ready to accept connections');
      expect(await runtime.logs(spec, 2)).toHaveLength(2);

      const heard: string[] = [];
      const ending = new AbortController();
      const following = runtime.followLogs(spec, (line) => heard.push(line), ending.signal);
      const admin = `AUTH admin ${PASSWORD}`;
      await expect
        .poll(async () => {
          await say({ host: '127.0.0.1', port: spec.port }, admin, 'BGSAVE');
          return heard.join('\n');
        }, SETTLE)
        .toContain('Background saving');
      ending.abort();
      await following;
    });

    it('keeps two instances apart', async () => {
      const [first, second] = await Promise.all([started(), started()]);
      expect((await look(first))?.pid).not.toBe((await look(second))?.pid);
      const both = await runtime.observe([first, second]);
      expect([...both.instances.keys()].sort()).toEqual([instanceKey(first.id), instanceKey(second.id)].sort());
      await runtime.remove(first);
      await expectServes(second);
      expect(await look(first)).toBeUndefined();
    });

    it('ends with one server when two commands start it at once', async () => {
      const spec = await rendered();
      await runtime.create(spec);
      const second = harness.secondRuntime();
      try {
        await second.ready();
        await Promise.all([runtime.start(spec), second.start(spec)]);
        await expectServes(spec);
        expect(await look(spec, second)).toEqual(await look(spec));
      } finally {
        await second.close();
      }
    });

    it('stops a server that has been frozen', async () => {
      const spec = await started();
      const state = await look(spec);
      process.kill(state?.pid ?? 0, 'SIGSTOP');
      await runtime.stop(spec);
      expect(await look(spec)).toMatchObject({ state: 'stopped', pid: 0 });
    });

    it('serves an operational to anyone, whether or not its vault is there', async () => {
      const spec = await rendered('operational');
      await runtime.create(spec);
      await runtime.start(spec);
      const address = { host: '127.0.0.1', port: spec.port };
      await expect.poll(() => say(address, 'ROLE'), SETTLE).toBe('*5');
      expect(await say(address, 'SET a b')).toMatch(/^-NOPERM/);
    });

    it('removes the instance and leaves its folders', async () => {
      const spec = await started();
      const before = await look(spec);
      await runtime.remove(spec);
      expect(await look(spec)).toBeUndefined();
      expect(() => process.kill(before?.pid ?? 0, 0)).toThrow();
      expect(await readdir(spec.dataDir)).toContain('appendonlydir');
      expect(await readdir(spec.configDir)).toContain(CONFIG_FILE.mark);
      await runtime.remove(spec);
      await runtime.create(spec);
      await runtime.start(spec);
      await expectServes(spec);
    });

    describeScratch(() => harness);

    it('never changes what nexus3 did not make', async ({ skip }) => {
      if (harness.makeForeign === undefined) return skip('this runtime knows no such thing');
      const spec = await harness.freshSpec('vault');
      await renderFolders(runtime, spec, 'vault');
      const foreign = await harness.makeForeign(spec);
      try {
        expect(await look(spec)).toMatchObject({ owned: false });
        expect((await failureOf(runtime.remove(spec))).code).toBe('FOREIGN_INSTANCE');
        expect(await foreign.isUntouched()).toBe(true);
      } finally {
        await foreign.discard();
      }
    });
  });
}
