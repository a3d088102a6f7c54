/** `rotate`: new passwords. None of them is ever shown. */
import { z } from 'zod';
import { SILENT } from '../../progress.js';
import { CREDENTIAL_NAMES } from '../../protocol/users.js';
import { tool } from '../tool.js';
import type { ControlContext } from './context.js';
import { environments, refuseUnnamed } from './fields.js';
import { PAGE_OUTPUT, pageFields, pageOf } from './page.js';
import { questionText } from './question.js';
import { ROTATION } from './report-schema.js';

/** A call takes at least as long as the grace: what a client waits for. Longer ones are for the command line. */
const GRACE_SECONDS_MAX = 300;

const input = z.strictObject({
  environments: environments('Which; `locker`: its own passwords'),
  all: z.boolean().default(false).describe('Every environment, Locker last; then leave environments out'),
  users: z
    .array(z.enum(CREDENTIAL_NAMES))
    .optional()
    .describe('Only the passwords of these users; left out: of all that an environment has'),
  graceSeconds: z
    .int()
    .min(0)
    .max(GRACE_SECONDS_MAX)
    .optional()
    .describe('How long the old passwords are accepted, too, so that clients can change over; 30 unless given'),
});

export const rotate = tool<ControlContext>()({
  name: 'rotate',
  title: 'Give environments new passwords',
  description:
    'Replaces passwords while everything runs: old and new ones are both accepted for the grace, then the old ones are refused, and that is proven. Call it when a password may have become known, or when check says password-old or rotation-unfinished. Clients of nexus3 read the new password by themselves; anything with a password written down somewhere stops working when the grace is over: ask the person about that first. The person is asked, where the host can ask. Takes as long as the grace, and once begun goes on to its end. Called again after it was cut off, it completes what was begun. It shows no password, and no tool here does.',
  input,
  output: z.object({ ...ROTATION, ...PAGE_OUTPUT }),
  effect: 'destroy',
  idempotent: false,
  question: async (asked, context) => {
    refuseUnnamed({ envs: asked.environments ?? [], all: asked.all });
    const { rotate: preview } = await import('../../reconcile/rotate/rotate.js');
    const report = await context.look((world) => preview(world, optionsOf(asked, true), SILENT));
    const names = report.environments.map(({ name }) => name);
    const steps = report.environments.flatMap(({ name, steps: each, error }) =>
      error === null ? each.map((step) => `${name}: ${step}`) : [`${name}: not now (${error.message})`],
    );
    return {
      text: questionText(`Rotate the passwords of ${names.slice(0, 20).join(', ')}:`, steps),
      about: JSON.stringify(steps),
    };
  },
  run: async (asked, context, run) => {
    const { rotate: start } = await import('../../reconcile/rotate/rotate.js');
    const report = await context.change('rotate', run, (world) => start(world, optionsOf(asked, false), run.progress));
    const failedFirst = report.environments.toSorted((a, b) => Number(a.error === null) - Number(b.error === null));
    const page = pageOf(failedFirst, ({ name }) => name, {});
    return { ...report, environments: page.items, ...pageFields(page), nextCursor: null };
  },
});

function optionsOf(
  { environments: envs = [], all, users = [], graceSeconds }: z.output<typeof input>,
  dryRun: boolean,
) {
  return { envs, all, users, graceSeconds, dryRun };
}
