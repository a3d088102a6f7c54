import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { LOCKER_SCHEMA, lockerDocument, renderLocker } from '../render/locker.js';
import { LOCKER_ARGUMENT } from './locker-words.js';

export const lockerShow: CommandSpec = {
  name: 'locker show',
  summary: 'show one locker: its keys and notes, never a value',
  description:
    'Shows what is said of a locker and which keys it has: how many values each has had, when the one in use was made, and whether the one before can be restored. The passwords of the environments are the locker l_e0dd.',
  arguments: [LOCKER_ARGUMENT],
  options: [],
  examples: [
    { command: 'nexus3 locker show l_1a2b', does: 'by its id' },
    { command: 'nexus3 locker show l_e0dd', does: 'the passwords of all environments' },
  ],
  schema: LOCKER_SCHEMA,
  async run(args, context) {
    const { operations, output } = context;
    const view = await (await operations.lockers(await context.world())).show(args.one('LOCKER'));
    output.result(LOCKER_SCHEMA, lockerDocument(view), (page) => renderLocker(view, page));
    return EXIT.good;
  },
};
