import { EXIT, Nexus3Error } from '../../errors.js';
import type { Role } from '../../protocol/environment.js';
import { rolesOf } from '../../protocol/environment.js';
import type { World } from '../../reconcile/world.js';
import type { InstanceSpec } from '../../runtime/runtime.js';
import type { CommandSpec } from '../command.js';
import { wholeNumber } from '../command.js';
import type { Context } from '../context.js';
import { clean } from '../render/text.js';

const LINES_DEFAULT = 50;
export const LINES_MAX = 10_000;

export const logs: CommandSpec = {
  name: 'logs',
  summary: 'show what an environment’s servers logged',
  description:
    'Prints the newest lines that the servers of an environment logged, oldest first; of both, each line says whose it is.',
  arguments: [{ name: 'ENV', count: 'one', description: 'the environment' }],
  options: [
    { flags: '--vault', description: 'only the vault’s' },
    { flags: '--operational', description: 'only the operational’s' },
    {
      flags: '--lines N',
      description: `newest lines of each instance (1–${String(LINES_MAX)})`,
      default: LINES_DEFAULT,
      parse: wholeNumber(1, LINES_MAX, 'a number of lines'),
    },
    { flags: '--follow', description: 'go on with each new line until interrupted' },
  ],
  examples: [
    { command: 'nexus3 logs track', does: 'the vault and the operational' },
    { command: 'nexus3 logs track --vault --lines 200', does: 'more, of one' },
    { command: 'nexus3 logs track --follow', does: 'until Ctrl-C' },
  ],
  exitCodes: { [EXIT.interrupted]: 'interrupted; with --follow that is its end' },
  schema: 'nexus3.logs/1',
  endsByInterrupt: true,
  async run(args, context) {
    const { output } = context;
    const env = args.one('ENV');
    const follow = args.flag('follow');
    if (follow && output.json) {
      throw new Nexus3Error('USAGE', '--follow has no end, and so is no JSON document.', {
        hint: 'Leave out --follow or --json.',
      });
    }
    const lineCount = args.number('lines') ?? LINES_DEFAULT;
    const world = await context.world();
    const specs = await chosenSpecs(world, env, args.flag('vault'), args.flag('operational'));
    const logged = await Promise.all(
      specs.map(async (spec) => ({
        instance: spec.id.role,
        lines: (await world.runtime.logs(spec, lineCount)).map(clean),
      })),
    );
    output.result('nexus3.logs/1', { ok: true, env, instances: logged }, () =>
      logged.flatMap(({ instance, lines }) => lines.map((line) => prefix(instance, specs) + line)),
    );
    if (follow) await followAll(world, specs, context);
    return EXIT.good;
  },
};

async function chosenSpecs(
  world: World,
  env: string,
  vault: boolean,
  operational: boolean,
): Promise<readonly InstanceSpec[]> {
  const { selectEnvironments, specOf } = await import('../../reconcile/desired.js');
  const [environment] = selectEnvironments(world.configuration, [env]);
  if (environment === undefined) return [];
  if (operational && environment.kind === 'secure') {
    throw new Nexus3Error('USAGE', `${env} is a Secure Environment: it has no operational.`, {
      hint: 'Leave out --operational.',
    });
  }
  const wanted = (role: Role): boolean => (!vault && !operational) || (role === 'vault' ? vault : operational);
  return rolesOf(environment)
    .filter(wanted)
    .map((role) => specOf(world.configuration, environment, role));
}

/** Whose a line is, where that is not plain. */
function prefix(instance: Role, specs: readonly InstanceSpec[]): string {
  return specs.length === 1 ? '' : `${instance.padEnd('operational'.length)} | `;
}

async function followAll(world: World, specs: readonly InstanceSpec[], { io, output }: Context): Promise<void> {
  const over = new AbortController();
  const stop = AbortSignal.any([io.signal, over.signal]);
  const onLine = (instance: Role, line: string): void => {
    output.lines([prefix(instance, specs) + clean(line)]);
    if (output.readerGone) over.abort();
  };
  await Promise.all(specs.map((spec) => world.runtime.followLogs(spec, (line) => onLine(spec.id.role, line), stop)));
}
