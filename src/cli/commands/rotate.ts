import { ERROR_EXIT_CODES, EXIT, Nexus3Error } from '../../errors.js';
import type { CredentialName } from '../../protocol/users.js';
import { CREDENTIAL_NAMES } from '../../protocol/users.js';
import { GRACE_SECONDS_DEFAULT, GRACE_SECONDS_MAX } from '../../reconcile/rotate/choose.js';
import type { CommandSpec } from '../command.js';
import { wholeNumber } from '../command.js';
import { renderRotate } from '../render/rotate.js';

export const rotate: CommandSpec = {
  name: 'rotate',
  summary: 'new passwords, without a moment in which one is refused',
  description:
    'Replaces passwords while everything runs: the old and the new ones are both accepted for the grace, the operational connects again once with its new one, then the old ones are refused, and that is proven. Open connections stay open. Cut off at any point, nobody is locked out: run it again, and it completes the rotation that is under way, then rotates what that one left out. What is stopped takes its new passwords when it starts.',
  arguments: [{ name: 'ENV', count: 'many', description: 'environments; `locker`: its own passwords' }],
  options: [
    {
      flags: '--all',
      description: 'every environment, Locker last; one that cannot be rotated now does not hold up the others',
    },
    {
      flags: '--user NAME',
      description: `only this user's password, or these (repeated, or with commas): ${CREDENTIAL_NAMES.join(', ')}`,
      parse: parseUsers,
    },
    {
      flags: '--grace SECONDS',
      description: `how long the old passwords stay accepted, in seconds (0–${String(GRACE_SECONDS_MAX)}; ${String(GRACE_SECONDS_DEFAULT)} unless given); one that is given also ends the grace of a rotation under way earlier, never later`,
      parse: wholeNumber(0, GRACE_SECONDS_MAX, 'a number of seconds'),
    },
    { flags: '--dry-run', description: 'print what would be done, and change nothing' },
  ],
  examples: [
    { command: 'nexus3 rotate track', does: 'all passwords of one environment' },
    { command: 'nexus3 rotate track --user default --grace 300', does: 'one user, five minutes for its clients' },
    { command: 'nexus3 rotate --all', does: 'everything, Locker last' },
    { command: 'nexus3 rotate track --dry-run', does: 'what it would do' },
  ],
  exitCodes: {
    [EXIT.good]: 'the new passwords are in force, and the old ones proven refused',
    [EXIT.problem]: 'refused before anything was begun, or not all rotated; run it again',
  },
  schema: 'nexus3.rotate/1',
  async run(args, context) {
    const { operations, output, progress } = context;
    const options = {
      envs: args.many('ENV'),
      all: args.flag('all'),
      users: usersIn(args.text('user') ?? ''),
      graceSeconds: args.number('grace'),
      dryRun: args.flag('dry-run'),
    };
    const report = await operations.rotate(await context.world(), options, progress);
    output.result('nexus3.rotate/1', report, (page) => renderRotate(report, page));
    const failure = report.environments.find(({ error }) => error !== null)?.error;
    return failure === null || failure === undefined ? EXIT.good : ERROR_EXIT_CODES[failure.code];
  },
};

/** As commander hands it over when an option is repeated: with what came before. */
function parseUsers(text: string, before?: unknown): string {
  usersIn(text);
  return typeof before === 'string' ? `${before},${text}` : text;
}

/** @throws Nexus3Error USAGE */
function usersIn(text: string): readonly CredentialName[] {
  const words = text === '' ? [] : text.split(',').map((word) => word.trim());
  const wrong = words.find((word) => !CREDENTIAL_NAMES.some((name) => name === word));
  if (wrong === undefined) return CREDENTIAL_NAMES.filter((name) => words.includes(name));
  throw new Nexus3Error('USAGE', `There is no user ${JSON.stringify(wrong.slice(0, 40))}.`, {
    hint: `Use ${CREDENTIAL_NAMES.join(', ')}, or leave --user out for all.`,
  });
}
