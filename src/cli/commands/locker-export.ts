import { resolve } from 'node:path';
import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { hanging, plural } from '../render/text.js';

export const lockerExport: CommandSpec = {
  name: 'locker export',
  summary: 'make a recovery kit, for when the root key is lost',
  description:
    'Writes the root key and everything that Locker holds into one file, sealed with a passphrase in the age format. With it, `locker import` brings Locker back on this or another host; without nexus3, `age -d FILE` shows what is in it. It is plain text, so it can be printed. The passphrase is asked for, twice, or read from stdin; it has at least 12 characters. Whoever has the file and the passphrase has everything: keep them apart, and away from this host.',
  arguments: [],
  options: [
    { flags: '--recovery FILE', description: 'where to write the kit' },
    { flags: '--force', description: 'take the place of a file that is there' },
  ],
  examples: [
    { command: 'nexus3 locker export --recovery kit.age', does: 'asks for a passphrase' },
    { command: 'pass show kit | nexus3 locker export --recovery kit.age', does: 'from a password store' },
  ],
  exitCodes: { [EXIT.good]: 'the kit is written, and Locker knows that there is one' },
  schema: 'nexus3.kitexport/1',
  async run(args, context) {
    const { operations, output, progress, prompts, io } = context;
    const name = args.text('recovery');
    if (name === undefined) {
      throw new Nexus3Error('USAGE', 'Where to?', { hint: 'Name the file: nexus3 locker export --recovery FILE' });
    }
    const place = { file: resolve(io.cwd, name), force: args.flag('force') };
    const world = await context.world();
    await operations.admitExport(place);
    progress.clear();
    const passphrase = await prompts.secret({ label: 'Passphrase of the recovery kit', twice: true });
    const report = await operations.exportKit(world, { ...place, passphrase }, progress);
    output.result('nexus3.kitexport/1', { ok: true, ...report }, ({ quiet, width }) =>
      quiet
        ? []
        : [
            ...hanging('Wrote ', `${report.file}.`, width),
            ...hanging(
              '',
              `It holds the root key and ${plural(report.values, 'value')} of ${plural(report.environments, 'environment')}. Keep it elsewhere, and its passphrase apart from it.`,
              width,
            ),
            ...hanging('', 'Make a new one after `nexus3 locker rekey`, and after new environments.', width),
          ],
    );
    return EXIT.good;
  },
};
