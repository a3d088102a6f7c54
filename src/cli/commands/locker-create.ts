import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { LOCKER_SCHEMA, lockerDocument } from '../render/locker.js';
import { WORDS_OPTIONS } from './locker-words.js';

export const lockerCreate: CommandSpec = {
  name: 'locker create',
  summary: 'make a new, empty locker',
  description:
    'Makes a locker and gives it an id that stays through every rename and is never given again. A name has up to 64 letters, digits, spaces and . _ -; upper and lower case make no difference. A description has up to 200 characters, notes up to 4,000; like names, they are not encrypted. There may be 1,000 lockers.',
  arguments: [{ name: 'NAME', count: 'one', description: 'what people call it' }],
  options: WORDS_OPTIONS,
  examples: [
    { command: 'nexus3 locker create stripe --description "payments, live"', does: 'a locker for one service' },
    { command: 'nexus3 locker set stripe api-key', does: 'then: asks for a value and keeps it' },
  ],
  exitCodes: { [EXIT.good]: 'the locker is there, on disk' },
  schema: LOCKER_SCHEMA,
  async run(args, context) {
    const { operations, output } = context;
    const world = await context.world();
    const words = { description: args.text('description'), notes: args.text('notes') };
    const view = await (await operations.lockers(world)).create(args.one('NAME'), words, world.clock.now());
    output.result(LOCKER_SCHEMA, lockerDocument(view), ({ quiet }) =>
      quiet
        ? [view.id]
        : [`Made the locker ${view.name}: ${view.id}`, `Store a value: nexus3 locker set ${view.id} KEY`],
    );
    return EXIT.good;
  },
};
