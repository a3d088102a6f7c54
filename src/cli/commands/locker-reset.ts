import type { ExitCode } from '../../errors.js';
import { EXIT } from '../../errors.js';
import type { ResetPreview, ResetReport } from '../../reconcile/locker/reset.js';
import type { CommandSpec } from '../command.js';
import type { Page } from '../render/paint.js';
import { formatDuration, hanging } from '../render/text.js';

export const lockerReset: CommandSpec = {
  name: 'locker reset',
  summary: 'begin anew when root key and recovery kit are lost',
  description:
    'The last way out: a new root key, an empty Locker, and new credentials for every environment, rendered and put in force by a restart of each. Their data stay. All other values in Locker and all tokens are gone for good; what Locker held is kept aside, in case the root key is found. Refused where nothing is lost. Says what it will do and asks for the word reset; --yes answers. Run it again after it was cut off.',
  arguments: [],
  options: [
    { flags: '--dry-run', description: 'only say what would be done' },
    { flags: '--yes', description: 'do not ask' },
  ],
  examples: [
    { command: 'nexus3 locker reset --dry-run', does: 'what would be done; nothing is' },
    { command: 'nexus3 locker reset', does: 'asks first' },
  ],
  exitCodes: {
    [EXIT.good]: 'every environment has new credentials',
    [EXIT.problem]: 'refused, or an environment needs you; run it again',
  },
  schema: 'nexus3.reset/1',
  async run(args, context) {
    const { operations, output, progress, prompts } = context;
    const world = await context.world();
    const preview = await operations.previewReset(world);
    progress.clear();
    const about = aboutLines(preview);
    if (args.flag('dry-run')) {
      output.result('nexus3.reset/1', { ok: true, dryRun: true, ...preview, ...NOTHING_DONE }, () => about);
      return EXIT.good;
    }
    await prompts.confirm({ about, expect: 'reset', unasked: 'nexus3 locker reset --yes' }, args.flag('yes'));
    const report = await operations.reset(world, progress);
    const code = exitCodeOf(report);
    const document = { ok: code === EXIT.good, dryRun: false, ...preview, ...report };
    output.result('nexus3.reset/1', document, (page) => reportLines(report, page));
    return code;
  },
};

const NOTHING_DONE = {
  resumed: false,
  rootKeyFile: null,
  keptRootKey: null,
  keptLocker: null,
  environments: [],
  durationMs: 0,
};

function aboutLines({ resumes, steps, warnings }: ResetPreview): readonly string[] {
  return [
    ...(resumes ? ['An earlier reset was cut off; this goes on with it:'] : []),
    ...steps.map((step, index) => `  ${String(index + 1)}. ${step}`),
    ...warnings.map((text) => `! ${text}`),
  ];
}

function exitCodeOf({ environments }: ResetReport): ExitCode {
  const needsSomebody = environments.some(({ outcome }) => outcome !== 'renewed' && outcome !== 'rendered');
  return needsSomebody ? EXIT.problem : EXIT.good;
}

function reportLines(report: ResetReport, { quiet, width }: Page): readonly string[] {
  const { environments, rootKeyFile, keptRootKey, keptLocker, durationMs } = report;
  const those = (outcome: string): readonly string[] =>
    environments.filter((one) => one.outcome === outcome).map(({ name }) => name);
  const list = (head: string, names: readonly string[]): readonly string[] =>
    names.length === 0 ? [] : hanging(head, names.join(', '), width);
  const open = environments.filter(({ message }) => message !== null);
  const problems = open.flatMap(({ name, message, hint }) => [
    ...hanging(`${name}: `, message ?? '', width),
    ...hanging('  → ', hint ?? '', width),
  ]);
  if (quiet) return problems;
  return [
    ...hanging('', `Locker has begun anew, in ${formatDuration(durationMs)}.`, width),
    ...list('New passwords in force and proven: ', those('renewed')),
    ...list('In force at the next start: ', those('rendered')),
    ...problems,
    ...hanging('The new root key: ', rootKeyFile, width),
    ...(keptRootKey === null ? [] : hanging('Kept, the old key: ', keptRootKey, width)),
    ...hanging('Kept, the old Locker: ', keptLocker, width),
    ...hanging(
      'Next: ',
      'make a recovery kit, so that this never comes again: nexus3 locker export --recovery FILE',
      width,
    ),
  ];
}
