import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { LOCKER_SCHEMA, lockerDocument } from '../render/locker.js';
import { LOCKER_ARGUMENT, WORDS_OPTIONS } from './locker-words.js';

export const lockerEdit: CommandSpec = {
  name: 'locker edit',
  summary: 'change the description or the notes of a locker',
  description:
    'Replaces the description or the notes of a locker; what is not named stays. An empty text takes them away. They are not encrypted: no secret belongs there.',
  arguments: [LOCKER_ARGUMENT],
  options: WORDS_OPTIONS,
  examples: [
    { command: 'nexus3 locker edit stripe --notes "ask Ada before use"', does: 'replaces the notes' },
    { command: 'nexus3 locker edit stripe --description ""', does: 'takes the description away' },
  ],
  exitCodes: { [EXIT.good]: 'changed, on disk' },
  schema: LOCKER_SCHEMA,
  async run(args, context) {
    const { operations, output } = context;
    const words = { description: args.text('description'), notes: args.text('notes') };
    if (words.description === undefined && words.notes === undefined) {
      throw new Nexus3Error('USAGE', 'Nothing was given to change.', {
        hint: 'Give --description TEXT or --notes TEXT.',
      });
    }
    const view = await (await operations.lockers(await context.world())).edit(args.one('LOCKER'), words);
    output.result(LOCKER_SCHEMA, lockerDocument(view), ({ quiet }) =>
      quiet ? [] : [`${view.id} (${view.name}) is changed.`],
    );
    return EXIT.good;
  },
};
