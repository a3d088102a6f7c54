import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { exitCodeOfReport } from '../report-exit.js';
import { renderCheck } from '../render/check.js';

/** As src/reconcile/plan.ts makes them. */
const PLAN_ID = /^p_[0-9a-f]{12}$/;

export const check: CommandSpec = {
  name: 'check',
  summary: 'find everything that is wrong, and repair it with --fix',
  description:
    'Looks at every instance and names everything that is not as it should be: what was measured, and what to do. With --fix it repairs what may be repaired, measures again, and shows what is left. It never touches what nexus3 did not make, and never lets an empty vault replace an operational that has data.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; all by default' }],
  options: [
    { flags: '--fix', description: 'repair what may be repaired, then measure again' },
    { flags: '--dry-run', description: 'print the plan of --fix and its id, and change nothing; goes before --fix' },
    {
      flags: '--plan ID',
      description: 'with --fix: do exactly the plan that --dry-run printed under this id, or nothing',
      parse: parsePlanId,
    },
  ],
  examples: [
    { command: 'nexus3 check', does: 'look at everything' },
    { command: 'nexus3 check track --dry-run', does: 'what would be repaired in one environment' },
    { command: 'nexus3 check --fix --plan p_0123456789ab', does: 'repair just that' },
    { command: 'nexus3 check --json', does: 'for a script or a monitor' },
  ],
  exitCodes: {
    [EXIT.good]: 'no finding of severity error (after the repairs, with --fix)',
    [EXIT.problem]: 'at least one error was found, or is left',
    [EXIT.unreachable]: 'the runtime or Locker cannot be reached, with --fix: also after the repairs',
  },
  schema: 'nexus3.check/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const mode = { envs: args.many('ENV'), fix: args.flag('fix'), dryRun: args.flag('dry-run') };
    const plan = args.text('plan');
    if (plan !== undefined && !mode.fix) {
      throw new Nexus3Error('USAGE', '--plan does nothing without --fix.', { hint: 'Add --fix.' });
    }
    const options = { ...mode, deep: false, ...(plan === undefined ? {} : { plan }) };
    const report = await operations.check(await context.world(), options, progress);
    output.result('nexus3.check/1', report, (page) => renderCheck(report, { command: 'check', ...mode }, page));
    return exitCodeOfReport(report);
  },
};

function parsePlanId(text: string): string {
  if (PLAN_ID.test(text)) return text;
  throw new Nexus3Error('USAGE', 'What was given as --plan is not the id of a plan.', {
    hint: 'An id is p_ and 12 digits from 0 to f: nexus3 check --fix --dry-run prints it.',
  });
}
