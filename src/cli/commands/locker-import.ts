import { resolve } from 'node:path';
import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { hanging, plural } from '../render/text.js';

/** Of what differs. */
const SHOWN_MAX = 20;

export const lockerImport: CommandSpec = {
  name: 'locker import',
  summary: 'bring Locker back from a recovery kit',
  description:
    'Opens a recovery kit with its passphrase (asked for, or read from stdin), puts its root key in place where there is none that opens Locker, starts Locker, and writes what is missing there. What Locker holds already stays, and what differs is said; --overwrite takes the kit’s, but for the administrators’ passwords, which nexus3 needs to put anything in force, and for tokens. A Locker with data that another root key opens is never touched. Run it again after it was cut off.',
  arguments: [{ name: 'FILE', count: 'one', description: 'the recovery kit' }],
  options: [{ flags: '--overwrite', description: 'where Locker and the kit differ, take the kit’s value' }],
  examples: [
    { command: 'nexus3 locker import kit.age', does: 'on a new host, or after the root key was lost' },
    { command: 'nexus3 locker import kit.age --overwrite', does: 'the kit’s passwords win' },
  ],
  exitCodes: {
    [EXIT.good]: 'Locker holds what the kit holds',
    [EXIT.problem]: 'refused, or not the right kit; nothing was changed',
  },
  schema: 'nexus3.kitimport/1',
  async run(args, context) {
    const { operations, output, progress, prompts, io } = context;
    const file = resolve(io.cwd, args.one('FILE'));
    const world = await context.world();
    await operations.readKitFile(file);
    progress.clear();
    const passphrase = await prompts.secret({ label: 'Passphrase of the recovery kit' });
    const report = await operations.importKit(world, { file, passphrase, overwrite: args.flag('overwrite') }, progress);
    output.result('nexus3.kitimport/1', { ok: true, ...report }, ({ quiet, width }) => {
      if (quiet) return [];
      const { origin, rootKey, keptRootKey, added, kept, replaced, dropped } = report;
      const tokens = added.filter((entry) => entry.startsWith('tokens.'));
      const theirs = args.flag('overwrite') ? '' : '; --overwrite takes the kit’s';
      const listed = (entries: readonly string[], heading: string): readonly string[] =>
        entries.length === 0
          ? []
          : [
              ...hanging('', `${String(entries.length)} ${heading}:`, width),
              ...entries.slice(0, SHOWN_MAX).map((entry) => `  ${entry}`),
              ...(entries.length > SHOWN_MAX ? [`  and ${String(entries.length - SHOWN_MAX)} more`] : []),
            ];
      return [
        ...hanging('', `The kit of ${origin.host}, made ${origin.createdAt}, is imported.`, width),
        rootKey === 'installed' ? 'Its root key is in place.' : 'Its root key was here already.',
        ...(keptRootKey === null ? [] : hanging('What lay there is kept: ', keptRootKey, width)),
        `${plural(added.length, 'entry').replace(/entrys$/, 'entries')} missing in Locker: written.`,
        ...listed(tokens, 'of them are tokens, which open their values again'),
        ...listed(kept, `differ, and Locker’s stayed${theirs}`),
        ...listed(replaced, 'differed, and are the kit’s now'),
        ...listed(dropped, 'could not be opened, nor be taken from the kit, and are gone'),
        ...hanging('Next: ', replaced.length + dropped.length > 0 ? 'nexus3 check --fix' : 'nexus3 up', width),
      ];
    });
    return EXIT.good;
  },
};
