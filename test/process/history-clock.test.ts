/** Any second of the past, of a vault whose clock was set back while it ran: what docs/backups.md says of how it dates. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AofServer, contentOf, secondAfter, startAofServer, steadySecond } from '../support/aof-server.js';
import { FAKETIME, findOrInstall } from '../support/debian-program.js';
import { HistoryHarness } from '../support/history-harness.js';

const LIBRARY_FOLDERS = '/usr/lib';
const LIBRARY = 'faketime/libfaketimeMT.so.1';
const BACK_SECONDS = 100;

const hasFaketime = await findOrInstall(FAKETIME);

describe.skipIf(!hasFaketime)('a vault whose clock is set back', () => {
  let folder: string;
  let server: AofServer;
  let harness: HistoryHarness;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus3-clock-'));
    await setClock(0);
    const library = (await readdir(LIBRARY_FOLDERS))
      .map((name) => join(LIBRARY_FOLDERS, name, LIBRARY))
      .find((path) => existsSync(path));
    if (library === undefined) throw new Error(`${LIBRARY} is in no folder of ${LIBRARY_FOLDERS}`);
    server = await startAofServer({
      variables: {
        LD_PRELOAD: library,
        FAKETIME_TIMESTAMP_FILE: clockFile(),
        FAKETIME_NO_CACHE: '1',
        // Redis measures spans with that one: they go on.
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    });
    harness = await HistoryHarness.make();
  });
  afterAll(async () => {
    await server[Symbol.asyncDispose]();
    await harness[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const clockFile = (): string => join(folder, 'clock');
  const setClock = (seconds: number): Promise<void> =>
    writeFile(clockFile(), `${seconds < 0 ? '' : '+'}${String(seconds)}\n`);
  const now = (): number => Math.floor(Date.now() / 1_000);

  /** Seconds that its files are dated with, in their order. */
  async function dates(): Promise<readonly number[]> {
    const names = (await readdir(join(server.dataDir, 'appendonlydir'))).filter((name) => name.endsWith('.incr.aof'));
    const texts = await Promise.all(
      names.toSorted().map((name) => readFile(join(server.dataDir, 'appendonlydir', name), 'latin1')),
    );
    return texts.flatMap((text) => [...text.matchAll(/^#TS:(\d+)\r$/gm)].map(([, second]) => Number(second)));
  }

  let restored = 0;
  async function keysAt(second: number): Promise<readonly string[]> {
    restored += 1;
    const dataDir = join(folder, `restored-${String(restored)}`);
    await mkdir(dataDir);
    const to = { folder: join(dataDir, 'appendonlydir'), owner: undefined };
    await harness.historyOf({ now: now() }).extract('track', server.dataDir, new Date(second * 1_000), to);
    await using copy = await startAofServer({ dataDir });
    return Object.keys(await contentOf(copy));
  }

  it('dates nothing earlier than what is in the file; what follows keeps that second until it is past', async () => {
    await server.send('SET', 'before', '1');
    const before = await secondAfter(server, await steadySecond(server));
    await server.send('SET', 'last', '1');
    await setClock(-BACK_SECONDS);
    await secondAfter(server, before - BACK_SECONDS);
    expect(await steadySecond(server)).toBeLessThan(before - BACK_SECONDS / 2);
    await server.send('SET', 'set-back', '1');
    await setClock(0);
    const after = await secondAfter(server, before + 1);
    await server.send('SET', 'after', '1');
    const dated = await dates();
    expect(dated).toEqual(dated.toSorted((a, b) => a - b));
    expect(await keysAt(before - 1)).toEqual(['before']);
    expect(await keysAt(before)).toEqual(['before', 'last', 'set-back']);
    await secondAfter(server, after + 3);
    expect(await keysAt(after)).toEqual(['after', 'before', 'last', 'set-back']);
  });

  it('and that is started again so, has what it writes from then on behind what came before, in no earlier second', async () => {
    const before = await secondAfter(server, await steadySecond(server));
    await server.send('SET', 'late', '1');
    await setClock(-BACK_SECONDS);
    await server.restart();
    await server.send('SET', 'restarted', '1');
    await setClock(0);
    await secondAfter(server, before + 4);
    await server.send('SET', 'right-again', '1');
    expect(await keysAt(before - 1)).not.toContain('late');
    // Dated a hundred seconds ago, and yet it is not there a hundred seconds ago.
    expect(await keysAt(before - 1)).not.toContain('restarted');
    expect(await keysAt(before)).toEqual(expect.arrayContaining(['late', 'restarted']));
  });
});
