import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { LOCKER_SCHEMA, lockerDocument } from '../render/locker.js';
import { wrap } from '../render/text.js';
import { whatChanged, whatNow } from './locker-set.js';
import { KEY_ARGUMENT, LOCKER_ARGUMENT } from './locker-words.js';

export const lockerRestore: CommandSpec = {
  name: 'locker restore',
  summary: 'bring back the value before the last',
  description:
    'Swaps the value of a key and the one before it: done twice, all is as it was. The last value of a deleted key comes back.',
  arguments: [LOCKER_ARGUMENT, KEY_ARGUMENT],
  options: [],
  examples: [
    { command: 'nexus3 locker restore stripe api-key', does: 'the one before the last, or the deleted one' },
    { command: 'nexus3 locker restore l_e0dd track.default', does: 'then: nexus3 check track --fix' },
  ],
  exitCodes: { [EXIT.good]: 'restored, on disk', [EXIT.problem]: 'refused: a rotation is under way' },
  schema: LOCKER_SCHEMA,
  async run(args, context) {
    const { operations, output } = context;
    const lockers = await operations.lockers(await context.world());
    const { locker, changed } = await lockers.restore(args.one('LOCKER'), args.one('KEY'));
    output.result(LOCKER_SCHEMA, lockerDocument(locker, changed), ({ quiet, width }) =>
      quiet ? [] : [...wrap(whatChanged(locker, changed), width), ...whatNow(locker, changed)],
    );
    return EXIT.good;
  },
};
