import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { KEY_ARGUMENT, LOCKER_ARGUMENT } from './locker-words.js';

export const lockerReveal: CommandSpec = {
  name: 'locker reveal',
  summary: 'print one value',
  description:
    'Prints one value just as it was stored, and a line break. That it was asked for is written into Locker’s audit first.',
  arguments: [LOCKER_ARGUMENT, KEY_ARGUMENT],
  options: [],
  examples: [
    { command: 'nexus3 locker reveal stripe api-key', does: 'the value, alone' },
    { command: 'nexus3 locker reveal l_e0dd track.default', does: 'a password of an environment' },
  ],
  exitCodes: { [EXIT.unreachable]: 'Locker cannot be reached, or the value cannot be opened' },
  schema: 'nexus3.reveal/1',
  async run(args, context) {
    const { operations, output } = context;
    const lockers = await operations.lockers(await context.world());
    const { value: secret, ...about } = await lockers.reveal(args.one('LOCKER'), args.one('KEY'));
    const value = secret.reveal();
    output.result('nexus3.reveal/1', { ok: true, ...about, value }, () => [value]);
    return EXIT.good;
  },
};
