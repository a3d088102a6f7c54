import { EXIT, Nexus3Error } from '../../errors.js';
import type { CommandSpec } from '../command.js';
import { formatDuration, hanging, plural } from '../render/text.js';

export const recover: CommandSpec = {
  name: 'recover',
  summary: 'refill a damaged operational, or rebuild a lost vault',
  description:
    'Without --vault: the operational is stopped, its data are moved aside, it is started empty and refilled by its vault, and the result is proven; refused unless the vault serves data past the last-copy guard. With --vault: an empty or lost vault is rebuilt from its operational. Nothing is discarded before its replacement is proven. Says what it will do and asks first; --yes answers.',
  arguments: [{ name: 'ENV', count: 'one', description: 'the environment' }],
  options: [
    { flags: '--vault', description: 'rebuild the vault from its operational' },
    {
      flags: '--accept-loss',
      description:
        'with --vault, where the operational cannot help: take what the vault’s folder now holds (older data, or none) as the truth; the operational’s data are moved aside and kept',
    },
    { flags: '--yes', description: 'do not ask' },
  ],
  examples: [
    { command: 'nexus3 recover track', does: 'refill the operational from the vault' },
    { command: 'nexus3 recover track --vault', does: 'after vault-empty or vault-behind' },
    { command: 'nexus3 recover track --vault --accept-loss', does: 'when the operational has nothing either' },
  ],
  exitCodes: { [EXIT.good]: 'recovered and proven', [EXIT.problem]: 'refused, or not proven; nothing was discarded' },
  schema: 'nexus3.recover/1',
  async run(args, context) {
    const { operations, output, progress, prompts } = context;
    const options = { env: args.one('ENV'), vault: args.flag('vault'), acceptLoss: args.flag('accept-loss') };
    if (options.acceptLoss && !options.vault) {
      throw new Nexus3Error('USAGE', '--accept-loss is about a vault.', { hint: 'Add --vault, or leave it out.' });
    }
    const world = await context.world();
    if (!args.flag('yes')) {
      const { steps, warnings } = await operations.previewRecover(world, options);
      progress.clear();
      const flags = `${options.vault ? ' --vault' : ''}${options.acceptLoss ? ' --accept-loss' : ''}`;
      await prompts.confirm(
        {
          about: [
            ...steps.map((step, index) => `  ${String(index + 1)}. ${step}`),
            ...warnings.map((text) => `! ${text}`),
          ],
          expect: options.acceptLoss ? options.env : 'yes',
          unasked: `nexus3 recover ${options.env}${flags} --yes`,
        },
        false,
      );
    }
    const report = await operations.recover(world, options, progress);
    output.result('nexus3.recover/1', { ok: true, ...report }, ({ quiet, width }) => {
      if (quiet) return [];
      const { env, instance, keys, graphs, durationMs, keptAside } = report;
      return [
        `${env}/${instance} is recovered and proven in ${formatDuration(durationMs)}: ${plural(keys, 'key')}, ${plural(graphs, 'graph')}.`,
        ...(keptAside === null ? [] : hanging('Kept aside: ', keptAside, width)),
      ];
    });
    return EXIT.good;
  },
};
