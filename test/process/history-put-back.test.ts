/** `--at` where a vault was put back to an earlier copy of itself: what was archived in between is had all the same. */
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SINCE_FILE } from '../../src/protocol/layout.js';
import { PROCESS_HANDS as HANDS, until } from '../support/break.js';
import { Nexus } from '../support/nexus.js';

const SECOND_MS = 1_000;

describe('a vault that was put back by its disk', () => {
  let nexus: Nexus;
  beforeEach(async () => {
    nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' }, yaml: 'backup: {}' });
    await nexus.report(0, 'up');
  });
  afterEach(async () => {
    await nexus[Symbol.asyncDispose]();
  });

  const ask = (...args: readonly string[]): Promise<unknown> => nexus.admin('track', 'vault', ...args);

  /** A second that has passed, with all that was written in it. */
  async function past(): Promise<string> {
    const [seconds] = (await ask('TIME')) as readonly string[];
    const now = Number(seconds);
    // The vault runs on this machine: its clock is this one.
    await sleep((now + 1) * SECOND_MS - Date.now());
    return new Date(now * SECOND_MS).toISOString().replace('.000Z', 'Z');
  }

  /** @param marked what nexus3 knows of the vault is put back with it */
  async function putBack(marked: boolean): Promise<{ lostAt: string; dataDir: string }> {
    const { dataDir, configDir } = await nexus.spec('track', 'vault');
    await ask('SET', 'kept', 'value');
    await nexus.report(0, 'check', 'track');
    await HANDS.stop(nexus, 'track', 'vault');
    await cp(dataDir, `${dataDir}.copy`, { recursive: true, preserveTimestamps: true });
    const mark = await readFile(join(configDir, 'mark'));
    await HANDS.start(nexus, 'track', 'vault');
    await until(async () => (await ask('PING').catch(() => '')) === 'PONG', 'the vault');
    for (const name of ['lost1', 'lost2', 'lost3']) await ask('SET', name, 'value');
    const lostAt = await past();
    for (let seconds = 0; seconds < 3; seconds += 1) await past();
    await nexus.report(0, 'check', 'track');
    const { code, err } = await nexus.run('backup', 'create', 'track', '--no-verify');
    expect(code, err).toBe(0);
    await HANDS.stop(nexus, 'track', 'vault');
    await rm(dataDir, { recursive: true });
    await cp(`${dataDir}.copy`, dataDir, { recursive: true, preserveTimestamps: true });
    if (marked) await writeFile(join(configDir, 'mark'), mark);
    return { lostAt, dataDir };
  }

  async function restoresWhatWasLost(lostAt: string): Promise<void> {
    const { code, out, err } = await nexus.run('restore', 'track', '--at', lostAt, '--yes', '--json');
    expect(code, `${err}\n${out}`).toBe(0);
    expect(await ask('EXISTS', 'kept', 'lost1', 'lost2', 'lost3', 'new1')).toBe(4);
  }

  it.each(['once it has written more than it had', 'and archived again'])('%s', async (when) => {
    const { lostAt } = await putBack(true);
    await nexus.report(0, 'up', 'track');
    for (let some = 1; some <= 40; some += 1) await ask('SET', `new${String(some)}`, 'x'.repeat(100));
    const newAt = await past();
    for (let seconds = 0; seconds < 3; seconds += 1) await past();
    if (when === 'and archived again') {
      expect((await nexus.run('backup', 'create', 'track', '--no-verify')).code).toBe(0);
    }
    await restoresWhatWasLost(lostAt);
    const { code, out, err } = await nexus.run('restore', 'track', '--at', newAt, '--yes', '--json');
    expect(code, `${err}\n${out}`).toBe(0);
    expect(await ask('EXISTS', 'kept', 'lost1', 'lost2', 'lost3')).toBe(1);
    expect(await ask('EXISTS', 'new1', 'new40')).toBe(2);
  });

  it.each([['--vault'], ['--vault', '--accept-loss']])(
    'and recovered by %s: from then on it serves',
    async (...how) => {
      const before = Date.now();
      const { lostAt, dataDir } = await putBack(false);
      await nexus.run('up', 'track');
      const { code, err } = await nexus.run('recover', 'track', ...how, '--yes');
      expect(code, err).toBe(0);
      const since = await readFile(join(dataDir, SINCE_FILE), 'utf8');
      expect(since).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\n$/);
      expect(Date.parse(since.trim())).toBeGreaterThan(before);
      await ask('SET', 'new1', 'value');
      for (let seconds = 0; seconds < 4; seconds += 1) await past();
      await restoresWhatWasLost(lostAt);
    },
  );
});
