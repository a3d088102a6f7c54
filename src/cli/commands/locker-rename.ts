import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { LOCKER_SCHEMA, lockerDocument } from '../render/locker.js';
import { LOCKER_ARGUMENT } from './locker-words.js';

export const lockerRename: CommandSpec = {
  name: 'locker rename',
  summary: 'give a locker another name; its id stays',
  description:
    'Gives a locker another name. Its id, its keys and its values stay: whatever names it by id goes on working.',
  arguments: [LOCKER_ARGUMENT, { name: 'NEWNAME', count: 'one', description: 'what people will call it' }],
  options: [],
  examples: [{ command: 'nexus3 locker rename l_1a2b "stripe live"', does: 'from now on found by that name' }],
  exitCodes: { [EXIT.good]: 'renamed, on disk' },
  schema: LOCKER_SCHEMA,
  async run(args, context) {
    const { operations, output } = context;
    const view = await (
      await operations.lockers(await context.world())
    ).rename(args.one('LOCKER'), args.one('NEWNAME'));
    output.result(LOCKER_SCHEMA, lockerDocument(view), ({ quiet }) =>
      quiet ? [] : [`${view.id} is named ${view.name} now.`],
    );
    return EXIT.good;
  },
};
