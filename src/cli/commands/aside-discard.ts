import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { wholeNumber } from '../command.js';
import { renderAside } from '../render/aside.js';

const DAYS_MAX = 36_500;

export const asideDiscard: CommandSpec = {
  name: 'aside discard',
  summary: 'make room: discard what was kept aside',
  description:
    'Discards what restores, recoveries and resets have kept, for good. Nothing is discarded without --yes, and nothing that may be needed: of an environment of which a restore, a recovery or a reset is not finished, or whose vault may have lost its data; nor what is in no archive.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments' }],
  options: [
    { flags: '--all', description: 'every environment' },
    {
      flags: '--older-than DAYS',
      description: 'only what was kept longer ago than so many days',
      parse: wholeNumber(0, DAYS_MAX, 'a number of days'),
    },
    { flags: '--yes', description: 'discard it; without it, it is only shown' },
  ],
  examples: [
    { command: 'nexus3 aside discard track', does: 'show what would go' },
    { command: 'nexus3 aside discard --all --older-than 30 --yes', does: 'discard what nobody has missed for a month' },
  ],
  exitCodes: { [EXIT.good]: 'shown; with --yes: discarded, but for what may be needed' },
  schema: 'nexus3.aside/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const options = {
      envs: args.many('ENV'),
      all: args.flag('all'),
      olderThanDays: args.number('older-than'),
      yes: args.flag('yes'),
    };
    const report = await operations.discardKept(await context.world(), options, progress);
    progress.clear();
    output.result('nexus3.aside/1', report, (page) => renderAside(report, page));
    return EXIT.good;
  },
};
