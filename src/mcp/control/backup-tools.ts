/** `backup_create`, `backup_list` and `restore_preview`. None of them restores: that is a person's own command. */
import { z } from 'zod';
import { tool } from '../tool.js';
import type { ControlContext } from './context.js';
import { environment, environments, refuseUnnamed } from './fields.js';
import { PAGE_INPUT, PAGE_OUTPUT, pageFields, pageOf } from './page.js';
import { planOf } from './look-tools.js';
import { questionText, sizesOf } from './question.js';
import { BACKUP_CREATED, BACKUP_LISTED, RESTORE_PLANNED } from './report-schema.js';

const define = tool<ControlContext>();
/** Of one environment. */
const BACKUPS_MAX = 20;
const WINDOWS_MAX = 20;
/** Of the text of an id or a time. */
const TEXT_CHARS_MAX = 100;

export const backupCreate = define({
  name: 'backup_create',
  title: 'Back environments up, and prove each backup',
  description:
    'Makes a backup of each environment named (or of all, with all: true) while it goes on serving, then loads it beside and counts what it holds. Call it before something risky, and when check says backup-missing or backup-stale. The person is asked first, where the host can ask. It may take long where there is much data. Of environments that fail, `error` says why; the others are backed up all the same.',
  input: z.strictObject({
    environments: environments('Which; `locker`, which keeps all passwords, can be backed up, too'),
    all: z.boolean().default(false).describe('Every environment; then leave environments out'),
    verify: z.boolean().default(true).describe('false: do not load it, which takes less time and proves less'),
  }),
  output: z.object({ ...BACKUP_CREATED, ...PAGE_OUTPUT }),
  effect: 'write',
  idempotent: false,
  question: async ({ environments: envs = [], all, verify }, context) => {
    refuseUnnamed({ envs, all });
    const { selectEnvironments } = await import('../../reconcile/desired.js');
    const { names, root } = await context.look((world) =>
      Promise.resolve({
        names: selectEnvironments(world.configuration, envs).map(({ name }) => name),
        root: world.backups.root,
      }),
    );
    const sizes = sizesOf(await planOf(context, names), new Set(names));
    const proof = verify ? ['load each in a server beside, and count what it holds'] : [];
    const steps = [`take a snapshot of ${sizes} into ${root}`, 'archive the history of writes beside it', ...proof];
    return { text: questionText(`Back up ${String(names.length)} environments:`, steps), about: names.join(',') };
  },
  run: async ({ environments: envs = [], all, verify }, context, run) => {
    const { createBackups } = await import('../../reconcile/backup/create.js');
    const options = { envs, all, verify, due: false, version: context.version, signal: run.signal };
    const report = await context.change('backup_create', run, (world) => createBackups(world, options, run.progress));
    // Those that went wrong first: they are what there is to do something about.
    const failedFirst = report.environments.toSorted((a, b) => Number(a.ok) - Number(b.ok));
    const page = pageOf(failedFirst, ({ name }) => name, {});
    return { ...report, environments: page.items, ...pageFields(page), nextCursor: null };
  },
});

export const backupList = define({
  name: 'backup_list',
  title: 'Show which backups there are',
  description:
    'Each environment with its newest backups: when they were made, what they hold, when each was last proven to load, what is wrong with one, and from when to when any second can be restored. Changes nothing. For what a restore would do, call restore_preview with an id from here.',
  input: z.strictObject({
    environments: environments('Which; left out: all that have a backup, also those that nexus3.yaml no longer has'),
    ...PAGE_INPUT,
  }),
  output: z.object({ ...BACKUP_LISTED, ...PAGE_OUTPUT }),
  effect: 'read',
  idempotent: true,
  run: async (asked, context) => {
    const { listBackups } = await import('../../reconcile/backup/list.js');
    const report = await context.look((world) => listBackups(world, asked.environments ?? []));
    const bounded = report.environments.map((one) => ({
      ...one,
      windows: one.windows.slice(-WINDOWS_MAX),
      backups: one.backups.slice(0, BACKUPS_MAX),
      backupsTotal: one.backups.length,
    }));
    const page = pageOf(bounded, ({ name }) => name, asked);
    return { ...report, environments: page.items, ...pageFields(page) };
  },
});

export const restorePreview = define({
  name: 'restore_preview',
  title: 'Say what a restore would do, and do nothing',
  description:
    'What a restore of one environment (or, with none named, of all) would do, step by step, and what would be lost by it. Changes nothing and never restores: no tool here does. Show it to the person; if they want it, they run `nexus3 restore` themselves.',
  input: z.strictObject({
    environment: environment.optional().describe('Which; left out: all, each from its newest backup'),
    id: z.string().max(TEXT_CHARS_MAX).optional().describe('Of backup_list; left out: the newest that is proven'),
    at: z
      .string()
      .max(TEXT_CHARS_MAX)
      .optional()
      .describe('A second within a window of backup_list, like 2026-01-08T12:00:07Z; instead of id'),
    into: z.string().max(TEXT_CHARS_MAX).optional().describe('The name of a new environment, to look at it beside'),
    ...PAGE_INPUT,
  }),
  output: z.object({ ...RESTORE_PLANNED, ...PAGE_OUTPUT }),
  effect: 'read',
  idempotent: true,
  run: async ({ environment: env, id, at, into, ...asked }, context) => {
    const { dryRunRestore } = await import('../../reconcile/restore/restore.js');
    const { parseTime } = await import('../../reconcile/restore/source.js');
    const options = { env, id, at: at === undefined ? undefined : parseTime(at), into, abort: false };
    const report = await context.look((world) => dryRunRestore(world, options));
    const page = pageOf(report.environments, (one) => one.env, asked);
    return { ...report, environments: page.items, ...pageFields(page) };
  },
});
