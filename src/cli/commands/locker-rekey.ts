import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { formatDuration, hanging, plural } from '../render/text.js';

export const lockerRekey: CommandSpec = {
  name: 'locker rekey',
  summary: 'change the root key, with nothing locked out meanwhile',
  description:
    'Makes a new root key and puts everything in Locker under it. At every moment the key that lies in root.key opens Locker; what runs meanwhile goes on. At the end the old key opens nothing, and its passwords are refused. A run that was cut off is finished by the next one. Recovery kits made before open nothing any more: make a new one afterwards.',
  arguments: [],
  options: [],
  examples: [{ command: 'nexus3 locker rekey', does: 'after somebody may have read root.key' }],
  exitCodes: {
    [EXIT.good]: 'the new root key is the only one',
    [EXIT.problem]: 'refused, or not proven; run it again',
  },
  schema: 'nexus3.rekey/1',
  async run(_args, context) {
    const { operations, output, progress } = context;
    const report = await operations.rekey(await context.world(), progress);
    output.result('nexus3.rekey/1', { ok: true, ...report }, ({ quiet, width }) => {
      if (quiet) return [];
      const { resumed, hashes, rootKeyFile, backup, remarks, durationMs } = report;
      const done = resumed ? 'The change that was cut off is finished' : 'Locker has a new root key';
      return [
        ...hanging(
          '',
          `${done}, in ${formatDuration(durationMs)}: ${plural(hashes, 'hash').replace(/hashs$/, 'hashes')} are under it, and the old one opens nothing any more.`,
          width,
        ),
        ...hanging('It is in ', rootKeyFile, width),
        ...(backup === null ? [] : hanging('', `Locker is backed up under it: ${backup}`, width)),
        ...remarks.flatMap((remark) => hanging('! ', remark, width)),
        ...hanging('Next: ', 'make a new recovery kit: nexus3 locker export --recovery FILE', width),
      ];
    });
    return EXIT.good;
  },
};
