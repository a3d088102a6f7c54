import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { renderLockers } from '../render/locker.js';

export const lockerList: CommandSpec = {
  name: 'locker list',
  summary: 'show all lockers',
  description:
    'Shows every locker: its id, which stays through each rename, its name, and how many keys it holds. Never a value.',
  arguments: [],
  options: [],
  examples: [
    { command: 'nexus3 locker list', does: 'all of them' },
    { command: 'nexus3 locker search stripe', does: 'only those that say so' },
  ],
  schema: 'nexus3.lockers/1',
  async run(_args, context) {
    const { operations, output } = context;
    const lockers = await (await operations.lockers(await context.world())).list();
    const document = { ok: true, lockers: lockers.map((locker) => ({ ...locker, foundIn: [] })) };
    output.result('nexus3.lockers/1', document, (page) => renderLockers(lockers, page));
    return EXIT.good;
  },
};
