import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { renderAside } from '../render/aside.js';

export const asideList: CommandSpec = {
  name: 'aside list',
  summary: 'show what restores and recoveries have kept aside',
  description:
    'What a restore, a recovery or a reset of Locker replaces is moved aside and kept, because somebody may want it. Shows each: when, why, where, and how much of the disk it takes. Nexus3 never discards it by itself.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; all by default' }],
  options: [],
  examples: [{ command: 'nexus3 aside list', does: 'all of them' }],
  exitCodes: { [EXIT.good]: 'shown' },
  schema: 'nexus3.aside/1',
  async run(args, context) {
    const { operations, output } = context;
    const report = await operations.listAside(await context.world(), args.many('ENV'));
    output.result('nexus3.aside/1', report, (page) => renderAside(report, page));
    return EXIT.good;
  },
};
