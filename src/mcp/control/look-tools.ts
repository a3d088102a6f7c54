/** `status`, `check` and `plan_fix`: they look, and change nothing, not even nexus3's own marks. */
import { z } from 'zod';
import { SILENT } from '../../progress.js';
import type { Report } from '../../reconcile/report.js';
import { tool } from '../tool.js';
import type { ControlContext } from './context.js';
import { environments } from './fields.js';
import { PAGE_INPUT, PAGE_OUTPUT, pageFields, pageOf } from './page.js';
import { REPORT } from './report-schema.js';

const define = tool<ControlContext>();
const all = 'Names of environments; left out: all';

const input = z.strictObject({ environments: environments(all), ...PAGE_INPUT });
const output = z.object({ ...REPORT, ...PAGE_OUTPUT });
type Paging = z.output<typeof input>;

export const status = define({
  name: 'status',
  title: 'Show every environment',
  description:
    'Call this first, to see what there is: every environment, how its two servers are (the vault takes all writes, the operational answers reads), how far replication is behind, how many keys, which backups, and what is wrong. `ok` is true when nothing is broken anywhere. Changes nothing. If `ok` is false, call check next.',
  input,
  output,
  effect: 'read',
  idempotent: true,
  run: async (asked, context) => paged(await lookAt(context, asked), asked, () => true),
});

export const check = define({
  name: 'check',
  title: 'Find everything that is wrong',
  description:
    'Call this when status says that something is not ok, or when something behaves oddly. It measures every server and gives back only environments with findings: for each finding what was measured, how severe it is, what to do (`remedy`), and whether nexus3 can repair it (`fixable`). An empty list with ok: true: nothing is wrong. Changes nothing. If anything is fixable, call plan_fix next; what is not fixable needs what its remedy says, or a person.',
  input,
  output,
  effect: 'read',
  idempotent: true,
  run: async (asked, context) => paged(await lookAt(context, asked), asked, ({ findings }) => findings.length > 0),
});

export const planFix = define({
  name: 'plan_fix',
  title: 'Plan the repair, and do nothing',
  description:
    'Call this after check, to see exactly what a repair would do: a list of actions in their order under one id (`plan.id`). Show it to the person. Nothing is done by it. To have it done, call apply_fix with that id and the same environments. plan.id null: there is nothing that a repair may do; for what is still wrong, follow the remedies of check. Never repair by other means (docker, redis-cli, deleting files) while there is a plan.',
  input,
  output: z.object({ ...REPORT, ...PAGE_OUTPUT }),
  effect: 'read',
  idempotent: true,
  run: async (asked, context) => {
    const report = await planOf(context, asked.environments);
    const actions = (report.plan?.actions ?? []).map((action, index) => ({ action, key: String(index + 1) }));
    const page = pageOf(actions, ({ key }) => key, asked);
    return {
      ...report,
      environments: [],
      plan: { id: report.plan?.id ?? null, actions: page.items.map(({ action }) => action) },
      ...pageFields(page),
    };
  },
});

async function lookAt(context: ControlContext, { environments: envs }: Paging): Promise<Report> {
  // The plan is of no interest here; a dry run raises no mark either, so it writes nothing at all.
  return { ...(await planOf(context, envs)), plan: null };
}

export async function planOf(context: ControlContext, envs: readonly string[] | undefined): Promise<Report> {
  const { check: look } = await import('../../reconcile/check.js');
  const options = { envs: envs ?? [], fix: false, dryRun: true, deep: false };
  return context.look((world) => look(world, options, SILENT));
}

function paged(
  report: Report,
  request: Paging,
  isWanted: (environment: Report['environments'][number]) => boolean,
): z.output<typeof output> {
  const page = pageOf(report.environments.filter(isWanted), ({ name }) => name, request);
  return { ...report, environments: page.items, ...pageFields(page) };
}
