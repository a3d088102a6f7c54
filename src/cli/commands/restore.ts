import type { ExitCode } from '../../errors.js';
import { ERROR_EXIT_CODES, EXIT, Nexus3Error } from '../../errors.js';
import { parseTime } from '../../reconcile/restore/source.js';
import type { RestoreOptions, RestoreReport } from '../../reconcile/restore/report.js';
import { idOption } from '../backup-options.js';
import type { Arguments, CommandSpec } from '../command.js';
import { parsePort } from '../parse-port.js';
import { renderPlan, renderRestore } from '../render/restore.js';

export const restore: CommandSpec = {
  name: 'restore',
  summary: 'bring back what a backup holds, or any second of the past',
  description:
    'The backup is read and proven first, while the vault still serves. Then the vault is stopped, what it holds is moved aside and kept, and the restored data are loaded behind a fence: nobody but nexus3 may log in until they are counted and as they should be. Only then applications are let in, and the operational, which answers reads with the old data until then, is refilled. Whatever goes wrong before that is taken back by itself. Cut off at any point: run it again and it finishes, or give --abort to have the old data back. Says what it will do and asks first; --yes answers.',
  arguments: [{ name: 'ENV', count: 'optional', description: 'the environment' }],
  options: [
    {
      flags: '--all',
      description:
        'every environment, each from its newest backup, Locker first: on a new machine with the repository, nexus3.yaml and the root key. Run again after it was cut off, it goes on with what is left to do',
    },
    idOption('this backup; the newest verified one unless given'),
    {
      flags: '--at TIME',
      description:
        'what the vault held at the end of this second, e.g. 2026-01-08T12:00:07Z: all that it dated so or earlier',
      parse: parseAt,
    },
    { flags: '--into NAME', description: 'into a new environment of this name; ENV itself is not touched' },
    {
      flags: '--vault-port N',
      description:
        'of that new environment; the operational has the next one. By default the next free pair from 6600 on',
      parse: parsePort,
    },
    { flags: '--abort', description: 'put back what a restore that was cut off has replaced' },
    { flags: '--dry-run', description: 'print what would be done, with its plan id, and change nothing' },
    { flags: '--yes', description: 'do not ask' },
  ],
  examples: [
    { command: 'nexus3 restore track', does: 'the newest verified backup' },
    { command: 'nexus3 restore track --at 2026-01-08T12:00:07Z', does: 'the second before the mistake' },
    { command: 'nexus3 restore track --id 20260108T120000Z-1a2b --into track-then', does: 'beside, to look at it' },
    { command: 'nexus3 restore --all', does: 'a new machine' },
  ],
  exitCodes: {
    [EXIT.good]: 'restored and proven',
    [EXIT.problem]: 'not restored: what was there before is there, or `check` says what to do',
  },
  schema: 'nexus3.restore/1',
  async run(args, context) {
    const { operations, output, progress, prompts } = context;
    const options = optionsOf(args);
    const world = await context.world();
    if (args.flag('dry-run')) {
      const report = await operations.dryRunRestore(world, options);
      output.result('nexus3.restore/1', report, (page) => renderRestore(report, page));
      return exitOf(report);
    }
    let planId: string | undefined;
    if (!args.flag('yes')) {
      const plan = await operations.previewRestore(world, options);
      planId = plan.id;
      progress.clear();
      await prompts.confirm(
        { about: renderPlan(plan.planned), expect: options.env ?? 'yes', unasked: unasked(options) },
        false,
      );
    }
    const report = await operations.restore(world, { ...options, planId }, progress);
    output.result('nexus3.restore/1', report, (page) => renderRestore(report, page));
    return exitOf(report);
  },
};

/** Of the first that failed, or, of a dry run, will. */
function exitOf({ environments }: RestoreReport): ExitCode {
  const failed = environments.find(({ error }) => error !== null)?.error;
  return failed === null || failed === undefined ? EXIT.good : ERROR_EXIT_CODES[failed.code];
}

/** As text: an option's value is text or a number. */
function parseAt(text: string): string {
  return parseTime(text).toISOString();
}

/** @throws Nexus3Error USAGE */
function optionsOf(args: Arguments): RestoreOptions {
  const env = args.optional('ENV');
  const at = args.text('at');
  if (args.flag('all') === (env !== undefined)) {
    throw new Nexus3Error(
      'USAGE',
      env === undefined ? 'Nothing is named.' : '--all leaves no choice of environments.',
      {
        hint: 'Name an environment, or give --all: nexus3 restore track; nexus3 restore --all',
      },
    );
  }
  return {
    env,
    id: args.text('id'),
    at: at === undefined ? undefined : new Date(at),
    into: args.text('into'),
    vaultPort: args.number('vault-port'),
    abort: args.flag('abort'),
  };
}

function unasked({ env, id, at, into, vaultPort, abort }: RestoreOptions): string {
  const words = [
    env ?? '--all',
    ...(id === undefined ? [] : ['--id', id]),
    ...(at === undefined ? [] : ['--at', at.toISOString().replace('.000Z', 'Z')]),
    ...(into === undefined ? [] : ['--into', into]),
    ...(vaultPort === undefined ? [] : ['--vault-port', String(vaultPort)]),
    ...(abort ? ['--abort'] : []),
  ];
  return `nexus3 restore ${words.join(' ')} --yes`;
}
