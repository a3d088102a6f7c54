import { EXIT } from '../../errors.js';
import type { CommandSpec } from '../command.js';

export const remove: CommandSpec = {
  name: 'remove',
  summary: 'take an environment away; its data are moved aside',
  description:
    'Stops the environment, removes its instances, takes it out of nexus3.yaml (comments and order of the rest stay) and moves its data aside. Asks first; --yes answers.',
  arguments: [{ name: 'NAME', count: 'one', description: 'the environment' }],
  options: [
    { flags: '--yes', description: 'do not ask' },
    { flags: '--delete-data', description: 'delete the data instead of moving them aside; this cannot be undone' },
  ],
  examples: [
    { command: 'nexus3 remove notes', does: 'asks, then keeps the data aside' },
    { command: 'nexus3 remove notes --yes --delete-data', does: 'all of it, for good' },
  ],
  exitCodes: { [EXIT.good]: 'the environment is gone' },
  schema: 'nexus3.remove/1',
  async run(args, context) {
    const { operations, output, progress, prompts } = context;
    const name = args.one('NAME');
    const deleteData = args.flag('delete-data');
    const world = await context.world();
    const { selectEnvironments } = await import('../../reconcile/desired.js');
    selectEnvironments(world.configuration, [name]);
    progress.clear();
    await prompts.confirm(
      {
        about: [
          `This removes the instances of ${name} and takes it out of the configuration.`,
          deleteData ? 'Its data are DELETED. This cannot be undone.' : 'Its data are moved aside, not deleted.',
        ],
        expect: deleteData ? name : 'yes',
        unasked: `nexus3 remove ${name}${deleteData ? ' --delete-data' : ''} --yes`,
      },
      args.flag('yes'),
    );
    const report = await operations.remove(world, { name, deleteData }, progress);
    output.result('nexus3.remove/1', { ok: true, ...report }, ({ quiet }) =>
      quiet
        ? []
        : [
            `${report.name} is removed.`,
            report.movedTo === null ? 'Nothing of its data is left.' : `Its data are in ${report.movedTo}.`,
          ],
    );
    return EXIT.good;
  },
};
