import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { LOCKER_SCHEMA, lockerDocument } from '../render/locker.js';
import { plural } from '../render/text.js';
import { LOCKER_ARGUMENT } from './locker-words.js';

export const lockerDelete: CommandSpec = {
  name: 'locker delete',
  summary: 'delete a key, or a whole locker',
  description:
    'With KEY, deletes that one; its value is kept as the one before, and restore brings it back. With --for-good, nothing of it is kept. Without KEY, the locker and all its values are deleted for good, and its id is never given again. What cannot be taken back asks first; --yes answers.',
  arguments: [LOCKER_ARGUMENT, { name: 'KEY', count: 'optional', description: 'one of its keys; left out: all of it' }],
  options: [
    { flags: '--for-good', description: 'with KEY: nothing of it is kept; this cannot be undone' },
    { flags: '--yes', description: 'do not ask' },
  ],
  examples: [
    { command: 'nexus3 locker delete stripe old-key', does: 'can be restored' },
    { command: 'nexus3 locker delete stripe', does: 'asks, then all of it is gone' },
  ],
  exitCodes: { [EXIT.good]: 'deleted, on disk' },
  schema: LOCKER_SCHEMA,
  async run(args, context) {
    const { operations, output, progress, prompts } = context;
    const [key, forGood, yes] = [args.optional('KEY'), args.flag('for-good'), args.flag('yes')];
    if (key === undefined && forGood) {
      throw new Nexus3Error('USAGE', 'A whole locker is always deleted for good.', { hint: 'Leave --for-good out.' });
    }
    const lockers = await operations.lockers(await context.world());
    const { id, name, keys } = await lockers.show(args.one('LOCKER'));
    const command = `nexus3 locker delete ${[id, ...(key === undefined ? [] : [key, '--for-good'])].join(' ')}`;
    progress.clear();
    if (key === undefined) {
      const about = [
        `This deletes the locker ${name} (${id}) and its ${plural(keys.length, 'key')}. It cannot be undone.`,
      ];
      await prompts.confirm({ about, expect: name, unasked: `${command} --yes` }, yes);
      const gone = await lockers.deleteLocker(id);
      output.result(
        LOCKER_SCHEMA,
        lockerDocument(
          { ...gone, keys: [] },
          keys.map((one) => one.name),
          true,
        ),
        ({ quiet }) => (quiet ? [] : [`${id} (${name}) is deleted; its id is not given again.`]),
      );
      return EXIT.good;
    }
    if (forGood) {
      const about = [`This deletes ${key} of ${id} (${name}) and the value before it. It cannot be undone.`];
      await prompts.confirm({ about, expect: key, unasked: `${command} --yes` }, yes);
    }
    const { locker, changed } = await lockers.deleteKey(id, key, forGood);
    output.result(LOCKER_SCHEMA, lockerDocument(locker, changed), ({ quiet }) =>
      quiet
        ? []
        : [
            `${key} of ${id} (${name}) is deleted.`,
            ...(forGood ? [] : [`It can be brought back: nexus3 locker restore ${id} ${key}`]),
          ],
    );
    return EXIT.good;
  },
};
