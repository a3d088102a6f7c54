import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { renderHits } from '../render/locker.js';

export const lockerSearch: CommandSpec = {
  name: 'locker search',
  summary: 'find lockers by what is said of them',
  description:
    'Looks for a text in ids, names, descriptions, notes and key names, without regard to case. Values are never looked at.',
  arguments: [{ name: 'TEXT', count: 'one', description: 'a part of what is said of it' }],
  options: [],
  examples: [
    { command: 'nexus3 locker search stripe', does: 'every locker that says stripe' },
    { command: 'nexus3 locker search track.', does: 'the passwords of track' },
  ],
  schema: 'nexus3.lockers/1',
  async run(args, context) {
    const { operations, output } = context;
    const text = args.one('TEXT');
    const hits = await (await operations.lockers(await context.world())).search(text);
    output.result('nexus3.lockers/1', { ok: true, lockers: hits }, (page) => renderHits(hits, text, page));
    return EXIT.good;
  },
};
