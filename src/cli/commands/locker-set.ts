import { EXIT, Nexus3Error } from '../../errors.js';
import { ENVIRONMENTS_ID, type Lockers, type LockerView } from '../../locker/lockers.js';
import type { Secret } from '../../protocol/secret.js';
import type { Arguments, CommandSpec } from '../command.js';
import type { Context } from '../context.js';
import { manyInvalid, parseMany } from '../many.js';
import { LOCKER_SCHEMA, lockerDocument } from '../render/locker.js';
import { wrap } from '../render/text.js';
import { LOCKER_ARGUMENT } from './locker-words.js';

export const lockerSet: CommandSpec = {
  name: 'locker set',
  summary: 'store a value under a key, or several at once',
  description:
    'Stores a value, typed unseen or piped in; never on the command line, where others can read it. The value that was there is kept as the one before, and restore brings it back. One line break at the end of what is piped in is not part of it, unless --exact. A value is text of up to 32,768 bytes, a key has up to 64 letters, digits and . _ -, and a locker up to 256 of them. In l_e0dd, it is the password of an environment’s user (up to 1,024 bytes): check then says that another is in force, and check --fix puts this one in force. --many reads one JSON object of keys and values, where null deletes: all of them are changed, or none.',
  arguments: [LOCKER_ARGUMENT, { name: 'KEY', count: 'optional', description: 'its key; left out with --many' }],
  options: [
    { flags: '--exact', description: 'also the last line break of what is piped in belongs to the value' },
    { flags: '--many', description: 'read {"KEY": "VALUE", "OTHER": null} instead' },
  ],
  examples: [
    { command: 'nexus3 locker set stripe api-key', does: 'asks for the value, unseen' },
    { command: 'nexus3 locker set stripe cert --exact < cert.pem', does: 'a file, byte by byte' },
    { command: 'nexus3 locker set stripe --many < keys.json', does: 'several at once' },
    { command: 'nexus3 locker set l_e0dd track.default', does: 'the password that track’s vault is to have' },
  ],
  exitCodes: {
    [EXIT.good]: 'stored, on disk',
    [EXIT.problem]: 'refused: a limit is reached, or a rotation is under way',
  },
  schema: LOCKER_SCHEMA,
  async run(args, context) {
    const { operations, output, progress } = context;
    const world = await context.world();
    const lockers = await operations.lockers(world);
    progress.clear();
    const values = await readValues(args, context, lockers);
    const { locker, changed } = await lockers.set(args.one('LOCKER'), values, world.clock.now());
    output.result(LOCKER_SCHEMA, lockerDocument(locker, changed), ({ quiet, width }) =>
      quiet ? [] : [...wrap(whatChanged(locker, changed), width), ...whatNow(locker, changed)],
    );
    return EXIT.good;
  },
};

async function readValues(
  args: Arguments,
  { prompts }: Context,
  lockers: Lockers,
): Promise<ReadonlyMap<string, Secret | null>> {
  const key = args.optional('KEY');
  if (args.flag('many')) {
    if (key !== undefined || args.flag('exact')) throw usage('With --many, the keys are in the JSON.');
    const text = await prompts.secret({ label: 'JSON object of keys and values', exact: true });
    const { values, mistakes } = parseMany(text.reveal());
    // All at once, also what only Locker can tell.
    if (mistakes.length > 0)
      throw manyInvalid([...mistakes, ...(await lockers.mistakesIn(args.one('LOCKER'), values))]);
    return values;
  }
  if (key === undefined) throw usage('Which key?');
  return new Map([[key, await prompts.secret({ label: `Value of ${key}`, twice: true, exact: args.flag('exact') })]]);
}

function usage(message: string): Nexus3Error {
  return new Nexus3Error('USAGE', message, {
    hint: 'nexus3 locker set LOCKER KEY, or: nexus3 locker set LOCKER --many',
  });
}

export function whatChanged({ id, name, keys }: LockerView, changed: readonly string[]): string {
  if (changed.length === 0) return `${id} (${name}) holds just that already; nothing was changed.`;
  const states = changed.map((key) => {
    const version = keys.find((one) => one.name === key)?.version ?? null;
    return version === null ? `${key} (deleted)` : `${key} (version ${String(version)})`;
  });
  return `${id} (${name}): ${states.join(', ')}`;
}

/** A password that is not in force yet is no password. */
export function whatNow({ id }: LockerView, changed: readonly string[]): readonly string[] {
  if (id !== ENVIRONMENTS_ID) return [];
  const envs = [...new Set(changed.map((key) => key.slice(0, key.indexOf('.'))))].sort();
  return envs.length === 0 ? [] : [`It is not in force yet. Next: nexus3 check ${envs.join(' ')} --fix`];
}
