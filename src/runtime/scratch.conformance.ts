/** What every runtime must do with a scratch server; part of runtime.conformance.ts. */
import { chown, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { mentioning, processStart } from '../../test/support/processes.js';
import { renderScratchConf, renderScratchStart, renderScratchUsers } from '../protocol/scratch-conf.js';
import { Secret } from '../protocol/secret.js';
import { openAdmin } from '../redis/admin.js';
import { probeInstance } from '../redis/probe.js';
import type { RuntimeHarness } from './runtime-harness.conformance.js';
import type { Scratch, ScratchSpec } from './runtime.js';
import { SCRATCH_FILE } from './runtime.js';

const SETTLE = { timeout: 30_000, interval: 50 };
const PASSWORD = new Secret('once-and-never-again');

/** Runs in the suite of one runtime; `harnessNow` is asked when a test runs. */
export function describeScratch(harnessNow: () => RuntimeHarness): void {
  describe('a scratch server', () => {
    const made: { dir: string; scratch?: Scratch }[] = [];
    let count = 0;

    afterEach(async () => {
      for (const { dir, scratch } of made.splice(0)) {
        await scratch?.[Symbol.asyncDispose]();
        await rm(dir, { recursive: true, force: true });
      }
    });

    async function prepared(below = 'scratch'): Promise<ScratchSpec> {
      const harness = harnessNow();
      const { runtime } = harness;
      const { name, image, dataDir } = await harness.freshSpec('vault');
      const dir = join(dirname(dataDir), below);
      await mkdir(dir, { recursive: true, mode: 0o700 });
      made.push({ dir });
      count += 1;
      const placement = runtime.scratchPlacement(dir);
      const { redisConf, usersAcl, start, socket } = SCRATCH_FILE;
      const options = { appendOnly: false, usersAcl, socket };
      await writeFile(join(dir, redisConf), renderScratchConf(placement, options));
      await writeFile(join(dir, usersAcl), renderScratchUsers(PASSWORD));
      await writeFile(join(dir, start), renderScratchStart(placement, redisConf));
      const owner = runtime.newFolderOwner();
      const paths = [dir, ...[redisConf, usersAcl, start].map((file) => join(dir, file))];
      for (const path of paths) if (owner !== undefined) await chown(path, owner.uid, owner.gid);
      return { name: `${name}-scratch-${String(count)}`, dir, image };
    }

    async function started(spec: ScratchSpec, by = harnessNow().runtime): Promise<Scratch> {
      const scratch = await by.startScratch(spec);
      made.push({ dir: spec.dir, scratch });
      return scratch;
    }

    async function stateOf({ socket }: Scratch): Promise<string> {
      const question = { adminPassword: PASSWORD, directives: [], masterauth: undefined };
      return (await probeInstance({ ...question, address: { path: socket } })).state;
    }

    async function expectServes(scratch: Scratch): Promise<void> {
      await expect.poll(() => stateOf(scratch), SETTLE).toBe('open');
    }

    it('is reached through its socket alone, and is gone when it is disposed of', async () => {
      const spec = await prepared();
      const scratch = await started(spec);
      await expectServes(scratch);
      expect(await scratch.exitCode()).toBeUndefined();
      await using admin = await openAdmin({ path: scratch.socket }, PASSWORD);
      expect(await admin.countContent()).toEqual({ databases: [], graphs: [] });
      const log = (await scratch.logs(100)).join('\n');
      expect(log).toContain('Ready to accept connections unix');
      expect(log).not.toContain('Ready to accept connections tcp');
      expect(mentioning(spec.name).length).toBeGreaterThan(0);
      await scratch[Symbol.asyncDispose]();
      expect(mentioning(spec.name).filter((pid) => processStart(pid) !== undefined)).toEqual([]);
      expect(await stateOf(scratch)).toBe('unreachable');
      expect(await readFile(join(spec.dir, SCRATCH_FILE.redisConf), 'utf8')).toContain('port 0');
    });

    it('is reached in a folder whose path is longer than that of a socket may be', async () => {
      const scratch = await started(await prepared(join('d'.repeat(80), 'e'.repeat(80))));
      await expectServes(scratch);
      expect(Buffer.byteLength(scratch.socket)).toBeLessThan(108);
    });

    it('that ends says how, and its last words', async () => {
      const spec = await prepared();
      const dump = join(spec.dir, 'dump.rdb');
      await writeFile(dump, 'REDIS9999 from another time', { mode: 0o644 });
      const scratch = await started(spec);
      await expect.poll(() => scratch.exitCode(), SETTLE).toBe(1);
      expect((await scratch.logs(20)).join('\n')).toContain('RDB format version 9999');
      expect(await scratch.logs(1)).toHaveLength(1);
    });

    it('takes the place of one that was left under its name', async () => {
      const spec = await prepared();
      const left = await started(spec);
      await expectServes(left);
      const before = mentioning(spec.name);
      const second = harnessNow().secondRuntime();
      try {
        await second.ready();
        const scratch = await started(spec, second);
        await expectServes(scratch);
        const now = mentioning(spec.name);
        expect(now.filter((pid) => before.includes(pid) && processStart(pid) !== undefined)).toEqual([]);
      } finally {
        await second.close();
      }
    });
  });
}
