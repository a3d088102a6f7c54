import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';

export const init: CommandSpec = {
  name: 'init',
  summary: 'write a commented nexus3.yaml',
  description:
    'Writes nexus3.yaml into the current folder (or to --config FILE): the environments of protocol v1.0, and a comment on everything that can be set. An existing file is never replaced.',
  arguments: [],
  options: [{ flags: '--empty', description: 'no environments but Locker' }],
  examples: [
    { command: 'nexus3 init', does: 'the twelve environments, as local processes' },
    { command: 'nexus3 init --runtime docker --empty', does: 'none yet, as containers' },
  ],
  exitCodes: { [EXIT.good]: 'the file is written' },
  schema: 'nexus3.init/1',
  async run(args, { io, overrides, output }) {
    const { runtime, dataRoot, config } = overrides;
    if (runtime !== undefined && runtime !== 'process' && runtime !== 'docker') {
      throw new Nexus3Error('USAGE', `There is no runtime ${JSON.stringify(runtime)}.`, {
        hint: 'Use --runtime process (local servers) or --runtime docker (containers).',
      });
    }
    const { writeNewConfigFile } = await import('../../config/init.js');
    const file = await writeNewConfigFile({ runtime, dataRoot, config, empty: args.flag('empty') }, io);
    output.result('nexus3.init/1', { ok: true, file }, ({ quiet }) =>
      quiet
        ? []
        : [
            `Wrote ${file}.`,
            'Next: look through it, then nexus3 up',
            'Then: nexus3 locker export --recovery FILE, a kit for when the root key is lost',
          ],
    );
    return EXIT.good;
  },
};
