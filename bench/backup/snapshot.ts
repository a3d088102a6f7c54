/** `nexus3 backup create` against `redis-cli --rdb`, on the same vault: how long the same bytes take to be on the disk. */
import { readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Manifest } from '../../src/backup/backups.js';
import type { Comparison, Pair } from '../comparison.js';
import { judge } from '../comparison.js';
import { PROGRAM_PATH } from '../machine.js';
import { runWhole } from '../whole-process.js';
import type { Ground } from './ground.js';
import { ENV } from './ground.js';

const WARM_UPS = 1;
const PAIRS = 3;
const TARGET_TIMES_MIN = 0.9;
const TIMEOUT_MS = 300_000;
/** Two snapshots of the same data differ by what a server says of itself in their heads. */
const HEAD_BYTES_MAX = 2_000;

export async function snapshot(ground: Ground, size: string): Promise<readonly Comparison[]> {
  const rows: {
    readonly whole: number;
    readonly streamed: number;
    readonly verified: number;
    readonly rival: number;
  }[] = [];
  for (let round = 0; round < WARM_UPS + PAIRS; round += 1) {
    const { ms: whole } = await create(ground, '--no-verify');
    const manifest = await newest(ground);
    const rival = await redisCli(ground);
    const difference = Math.abs((await stat(rival.file)).size - manifest.snapshot.rdbBytes);
    if (difference > HEAD_BYTES_MAX) throw new Error(`the two snapshots differ by ${String(difference)} bytes`);
    await rm(rival.file);
    const { ms: verified } = await create(ground);
    if (round >= WARM_UPS) rows.push({ whole, streamed: manifest.durationMs, verified, rival: rival.ms });
    await empty(ground);
  }
  const contest = { rival: '`redis-cli --rdb`, from its start to its end' };
  const pairs = (of: (row: (typeof rows)[number]) => number): readonly Pair[] =>
    rows.map((row) => ({ nexus3Ms: of(row), rivalMs: row.rival }));
  return [
    judge(
      {
        ...contest,
        name: `backup-${size}`,
        nexus3: `\`nexus3 backup create ENV --no-verify\`, ${size}: hashed, listed, history archived`,
        target: { kind: 'times-faster', min: TARGET_TIMES_MIN },
      },
      pairs(({ whole }) => whole),
    ),
    judge(
      {
        ...contest,
        name: `backup-${size}-snapshot`,
        nexus3: 'of that, from the request to the vault until the snapshot was durable',
        target: { kind: 'none' },
      },
      pairs(({ streamed }) => streamed),
    ),
    judge(
      {
        ...contest,
        name: `backup-${size}-verified`,
        nexus3: '`nexus3 backup create ENV`: loaded into a scratch server and counted, besides',
        target: { kind: 'none' },
      },
      pairs(({ verified }) => verified),
    ),
  ];
}

export async function create(ground: Ground, ...flags: readonly string[]): Promise<{ readonly ms: number }> {
  return ground.estate.nexus3('backup', 'create', ENV, ...flags, '--quiet');
}

/** As redis-cli writes it; its password is in no argument. */
export async function redisCli(ground: Ground): Promise<{ readonly ms: number; readonly file: string }> {
  const file = join(ground.estate.root, 'rival.rdb');
  const { ms } = await runWhole({
    command: 'redis-cli',
    args: ['-p', String(ground.port), '--user', 'backup', '--rdb', file],
    env: { PATH: PROGRAM_PATH, REDISCLI_AUTH: await ground.password('backup') },
    timeoutMs: TIMEOUT_MS,
  });
  return { ms, file };
}

export async function newest(ground: Ground): Promise<Manifest> {
  const folder = join(ground.repository, ENV);
  const id =
    (await readdir(folder))
      .filter((name) => /^\d{8}T/.test(name))
      .toSorted()
      .at(-1) ?? '';
  return JSON.parse(await readFile(join(folder, id, 'manifest.json'), 'utf8')) as Manifest;
}

/** So that a disk does not fill up. */
export async function empty(ground: Ground): Promise<void> {
  const folder = join(ground.repository, ENV);
  for (const id of await readdir(folder)) {
    if (/^\d{8}T/.test(id)) await rm(join(folder, id), { recursive: true });
  }
}
