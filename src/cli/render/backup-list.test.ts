import { describe, expect, it } from 'vitest';
import type { BackupListReport, ListedItem } from '../../reconcile/backup/list.js';
import type { BackupPruneReport } from '../../reconcile/backup/prune.js';
import { renderBackupList, renderBackupPrune } from './backup-list.js';
import type { Page } from './paint.js';
import { makePaint } from './paint.js';

const WIDTHS = [120, 80, 40];
const page = (width: number, quiet = false): Page => ({ width, paint: makePaint(false), quiet });
const framed = (lines: readonly string[], width: number): string => ['', '-'.repeat(width), ...lines].join('\n');

const ITEM: ListedItem = {
  id: '20260108T030004Z-1a2b',
  createdAt: '2026-01-08T03:00:04.000Z',
  bytes: 104_857_600,
  sha256: 'ab'.repeat(32),
  encrypted: true,
  keys: 1_234_567,
  graphs: 2,
  verifiedAt: '2026-01-08T03:00:09.000Z',
  loadMs: 1_340,
  keptFor: ['last', 'daily'],
  wouldGo: false,
  ofEarlierKey: false,
  problem: null,
};
const UNVERIFIED = { encrypted: false, keys: null, graphs: null, verifiedAt: null, loadMs: null };
const DAMAGED: ListedItem = {
  ...{
    ...ITEM,
    ...UNVERIFIED,
    id: '20260106T030000Z-3c4d',
    createdAt: null,
    bytes: null,
    sha256: null,
    encrypted: null,
  },
  keptFor: [],
  problem: {
    code: 'BACKUP_DAMAGED',
    message: 'The backup track/20260106T030000Z-3c4d is not what was written: it is damaged.',
    evidence: ['track/20260106T030000Z-3c4d/dump.rdb: it has 3 bytes'],
    hint: 'Take another backup: `nexus3 backup list` shows them.',
  },
};
const LIST: BackupListReport = {
  ok: false,
  listedAt: '2026-01-08T12:00:00.000Z',
  root: '/data/nexus3-backups',
  environments: [
    {
      name: 'track',
      windows: [
        { from: '2026-01-02T00:00:00Z', to: '2026-01-03T10:11:12Z' },
        { from: '2026-01-05T22:10:00Z', to: '2026-01-08T12:00:00Z' },
      ],
      backups: [
        ITEM,
        { ...ITEM, ...UNVERIFIED, id: '20260107T030000Z-2b3c', createdAt: '2026-01-07T03:00:00.000Z' },
        DAMAGED,
        { ...ITEM, id: '20251201T030000Z-4d5e', createdAt: '2025-12-01T03:00:00.000Z', keptFor: [], wouldGo: true },
      ],
    },
    { name: 'web', windows: [], backups: [] },
  ],
};

describe('backup list', () => {
  it.each(WIDTHS)('of a few backups, %i columns wide', (width) => {
    const lines = renderBackupList(LIST, page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    const long = lines.filter((line) => line.length > width);
    expect(long.filter((line) => !line.includes('dump.rdb') && !line.includes('track/'))).toEqual([]);
  });

  it('of none', () => {
    expect(renderBackupList({ ...LIST, environments: [] }, page(80)).join('\n')).toBe(
      'There is no backup in /data/nexus3-backups. Make one: nexus3 backup create --all',
    );
    expect(renderBackupList({ ...LIST, environments: [] }, page(80, true))).toEqual([]);
  });
});

describe('backup prune', () => {
  const backup = { id: ITEM.id, bytes: ITEM.bytes, verifiedAt: ITEM.verifiedAt, reasons: ITEM.keptFor, problem: null };
  const damaged = { ...backup, id: DAMAGED.id, bytes: null, reasons: [], problem: DAMAGED.problem };
  const verified = { ...backup, id: '20260105T030000Z-3c4d', reasons: ['last-verified'] as const };
  const gone = { ...backup, id: '20251201T030000Z-4d5e', reasons: [] };
  const dry: BackupPruneReport = {
    ok: true,
    dryRun: true,
    root: '/data/nexus3-backups',
    environments: [
      { name: 'track', keep: [backup, damaged, verified], remove: [gone], history: null },
      { name: 'web', keep: [], remove: [], history: null },
    ],
  };
  const done = {
    ...dry,
    dryRun: false,
    environments: dry.environments.map((one) => ({ ...one, history: { files: 2, bytes: 4_096 } })),
  };

  it.each(WIDTHS)('says why each is kept, %i columns wide', (width) => {
    const lines = renderBackupPrune(dry, { envs: [] }, page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('says what it has done', () => {
    expect(renderBackupPrune(done, { envs: ['track'] }, page(80)).join('\n')).toMatchSnapshot();
    expect(renderBackupPrune(done, { envs: ['track'] }, page(80, true))).toEqual([
      'track',
      '  20251201T030000Z-4d5e removed',
    ]);
  });

  it('says when there is nothing to be done', () => {
    const nothing = { ...dry, environments: [{ name: 'track', keep: [backup], remove: [], history: null }] };
    expect(renderBackupPrune(nothing, { envs: [] }, page(80)).at(-1)).toBe('Nothing would be removed.');
  });
});
