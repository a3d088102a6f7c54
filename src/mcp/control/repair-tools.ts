/** `apply_fix` and `recover`: what they do was shown before, and is done or not at all. */
import { z } from 'zod';
import { Nexus3Error } from '../../errors.js';
import type { Report } from '../../reconcile/report.js';
import { tool } from '../tool.js';
import type { ControlContext } from './context.js';
import { environment, environments } from './fields.js';
import { planOf } from './look-tools.js';
import { PAGE_OUTPUT, pageFields, pageOf } from './page.js';
import { questionText, sizesOf } from './question.js';
import { RECOVERED, REPORT } from './report-schema.js';

const define = tool<ControlContext>();
/** As src/reconcile/plan.ts makes them. */
const PLAN_ID = /^p_[0-9a-f]{12}$/;
/** Of a report: the first so many actions that did not work. */
const FAILURES_MAX = 50;

const fixed = z.object({ ...REPORT, ...PAGE_OUTPUT });

export const applyFix = define({
  name: 'apply_fix',
  title: 'Carry out a plan of plan_fix',
  description:
    'Does exactly the plan that plan_fix gave under this id, then measures again and says what is left. Servers may be restarted by it. Where the world has changed since, it is refused (PLAN_CHANGED) and nothing is done: call plan_fix again, and show the person the new plan. The person is asked first, where the host can ask. ok: false or failures: call check again; a second plan may be needed where the first one brought more to light. It never deletes data.',
  input: z.strictObject({
    plan: z.string().regex(PLAN_ID).describe('plan.id of plan_fix'),
    environments: environments('The same as were given to plan_fix; left out there: left out here'),
  }),
  output: fixed,
  effect: 'destroy',
  idempotent: true,
  question: async ({ plan: id, environments: envs }, context) => {
    const report = await planOf(context, envs);
    const { plan } = report;
    if (plan?.id !== id) throw planChanged(id, plan?.id ?? undefined);
    const names = new Set(plan.actions.map(({ on }) => on?.split('/')[0] ?? ''));
    const what = `Repair ${sizesOf(report, names)} by plan ${id}:`;
    return {
      text: questionText(
        what,
        plan.actions.map(({ summary, because }) => `${summary} (${because})`),
      ),
      about: id,
    };
  },
  run: async ({ plan, environments: envs = [] }, context, run) => {
    const { check } = await import('../../reconcile/check.js');
    const options = { envs, fix: true, dryRun: false, deep: false, plan, signal: run.signal };
    const report = await context.change('apply_fix', run, (world) => check(world, options, run.progress));
    return applied(report);
  },
});

/** What was wrong, or still is; healthy environments are not told of. */
function applied(report: Report): z.output<typeof fixed> {
  const page = pageOf(
    report.environments.filter(({ findings }) => findings.length > 0),
    ({ name }) => name,
    {},
  );
  const actions = report.plan?.actions ?? [];
  const shown = pageOf(actions, ({ summary }) => summary, {});
  return {
    ...report,
    environments: page.items,
    plan: report.plan === null ? null : { ...report.plan, actions: shown.items },
    failures: report.failures.slice(0, FAILURES_MAX),
    ...pageFields(page),
    truncated: page.truncated || shown.truncated || report.failures.length > FAILURES_MAX,
    nextCursor: null,
  };
}

function planChanged(wanted: string, now: string | undefined): Nexus3Error {
  return new Nexus3Error('PLAN_CHANGED', `The plan is no longer ${wanted}; nothing was done.`, {
    evidence: [now === undefined ? 'now there is nothing to do' : `now it is ${now}`],
    hint: 'Call plan_fix with the same environments as before, and show the person what would be done now.',
  });
}

export const recover = define({
  name: 'recover',
  title: 'Refill a damaged operational, or rebuild a lost vault',
  description:
    'Only when the remedy of check says so, or when a server stays broken after apply_fix. Without vault: the operational of one environment is stopped, emptied and refilled by its vault; reads from it fail meanwhile. With vault: true, an empty or lost vault is rebuilt from its operational. Refused (RECOVER_REFUSED) where it is not needed, or could destroy the last copy of the data: then tell the person, and do not try another way. The person is asked first, where the host can ask. Once begun it goes on to its end, also when the call is cancelled. Nothing is discarded before its replacement is proven.',
  input: z.strictObject({
    environment,
    vault: z.boolean().default(false).describe('Rebuild the vault from the operational, not the other way round'),
  }),
  output: z.object(RECOVERED),
  effect: 'destroy',
  idempotent: false,
  question: async ({ environment: env, vault }, context) => {
    const { previewRecover } = await import('../../reconcile/recover/recover.js');
    const preview = await context.look((world) => previewRecover(world, { env, vault, acceptLoss: false }));
    const size = sizesOf(await planOf(context, [env]), new Set([env]));
    const what = vault ? `Rebuild the vault of ${size}:` : `Refill the operational of ${size} from its vault:`;
    return { text: questionText(what, [...preview.steps, ...preview.warnings]), about: preview.kind };
  },
  run: async ({ environment: env, vault }, context, run) => {
    const { recover: start } = await import('../../reconcile/recover/recover.js');
    const options = { env, vault, acceptLoss: false, agreed: run.agreed };
    const report = await context.change('recover', run, (world) => start(world, options, run.progress));
    return { ok: true as const, ...report };
  },
});
