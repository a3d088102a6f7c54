/** Commands as commander sees them. Nothing else in nexus3 knows commander. */
import { Command, CommanderError, Option } from 'commander';
import type { ExitCode } from '../errors.js';
import { EXIT, Nexus3Error } from '../errors.js';
import type { Overrides } from '../config/load.js';
import type { ArgumentSpec, CommandSpec } from './command.js';
import { Arguments, EXIT_MEANING } from './command.js';
import type { CommandEntry } from './commands/index.js';
import { COMMANDS, GROUPS } from './commands/index.js';
import { hanging, wrap } from './render/text.js';

/** In a column narrower than this, a description would be a word a line, or wider than the terminal: it stands below. */
const COLUMN_WIDTH_MIN = 30;
/** Before an item of a list, between it and what is said of it, and before that where it stands below. */
const [ITEM_INDENT, COLUMN_GAP, BELOW_INDENT] = [' '.repeat(2), ' '.repeat(2), ' '.repeat(6)];

/** A command and what it was given. */
export interface RunRequest {
  readonly kind: 'run';
  readonly spec: CommandSpec;
  readonly args: Arguments;
  readonly overrides: Overrides;
}

/** What a command line asks for. */
export type Request =
  | RunRequest
  /** Help or the version. With another exit code than 0 it was not asked for. */
  | { readonly kind: 'text'; readonly text: string; readonly exitCode: ExitCode };

export interface ParseOptions {
  readonly version: string;
  readonly helpWidth: number;
}

const GLOBAL_OPTIONS: readonly (readonly [flags: string, description: string])[] = [
  ['--config <FILE>', 'nexus3.yaml to use; else $NEXUS3_CONFIG, ./nexus3.yaml, ~/.config/nexus3/, /etc/nexus3/'],
  ['--runtime <NAME>', 'process or docker, whatever the configuration says'],
  ['--data-root <DIR>', 'where the data lie, whatever the configuration says'],
  ['--json', 'exactly one JSON document on stdout'],
  ['--quiet', 'only what was asked for: no progress, no advice'],
  ['--no-color', 'no colours; NO_COLOR does the same'],
];
const VALUE_OPTIONS: ReadonlySet<string> = new Set(['--config', '--runtime', '--data-root']);

/** @throws Nexus3Error USAGE and what the options' own `parse` throws. */
export async function parseCommandLine(argv: readonly string[], options: ParseOptions): Promise<Request> {
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : argv;
  const entry = findEntry(words);
  const spec = await entry?.load();
  const { own, rest } = spec?.rest === undefined ? { own: words, rest: [] } : splitAtDashes(words);
  let request: Request | undefined;
  let text = '';
  const program = buildProgram(
    options,
    (output) => (text += output),
    spec,
    ({ operands, options: given, overrides }) => {
      if (spec !== undefined) request = { kind: 'run', spec, args: new Arguments(operands, given, rest), overrides };
    },
  );
  if (own.length === 0) {
    program.outputHelp();
    return { kind: 'text', text, exitCode: EXIT.usage };
  }
  try {
    await program.parseAsync(own, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'text', text, exitCode: EXIT.good };
    throw usageError(error, entry?.name ?? groupOf(words));
  }
  if (request === undefined) throw new TypeError('a command line was neither run nor refused');
  return request;
}

/** Which command is meant, so that only its file has to be loaded. */
function findEntry(words: readonly string[]): CommandEntry | undefined {
  const [first, second] = operandsOf(words);
  return COMMANDS.find(({ name }) => name === first || name === `${first ?? ''} ${second ?? ''}`);
}

function groupOf(words: readonly string[]): string | undefined {
  const [first = ''] = operandsOf(words);
  return first in GROUPS ? first : undefined;
}

function operandsOf(words: readonly string[]): readonly string[] {
  const { own } = splitAtDashes(words);
  return own.filter((word, index) => !word.startsWith('-') && !VALUE_OPTIONS.has(own[index - 1] ?? ''));
}

/** Everything behind the first `--` is the command's own business, dashes and all. */
function splitAtDashes(words: readonly string[]): { own: readonly string[]; rest: readonly string[] } {
  const index = words.indexOf('--');
  return index === -1 ? { own: words, rest: [] } : { own: words.slice(0, index), rest: words.slice(index + 1) };
}

interface Parsed {
  readonly operands: ReadonlyMap<string, string | readonly string[] | undefined>;
  readonly options: Readonly<Record<string, unknown>>;
  readonly overrides: Overrides;
}

function buildProgram(
  { version, helpWidth }: ParseOptions,
  write: (text: string) => void,
  spec: CommandSpec | undefined,
  onParsed: (parsed: Parsed) => void,
): Command {
  const program = new Command('nexus3')
    .description(
      'Runs Redis and FalkorDB environments: a vault, its read-only operational, and the proof that both are well.',
    )
    .version(version, '--version', 'print the version')
    .addHelpText('after', `\n\`nexus3 COMMAND --help\` says more of each.\n\n${exitCodeHelp({}, helpWidth)}`);
  for (const [flags, description] of GLOBAL_OPTIONS) program.addOption(new Option(flags, description));
  const groups = new Map<string, Command>();
  for (const entry of COMMANDS) {
    const [first = '', second] = entry.name.split(' ');
    const parent = second === undefined ? program : (groups.get(first) ?? program.command(first));
    if (second !== undefined) groups.set(first, parent.description(GROUPS[first] ?? ''));
    const command = parent.command(second ?? first).summary(entry.summary);
    if (spec?.name === entry.name) {
      configure(command, spec, helpWidth, onParsed);
    } else {
      command.description(entry.summary);
    }
  }
  return everywhere(program, (command) => {
    command
      .helpOption('-h, --help', 'show this help')
      .helpCommand(false)
      .configureHelp({
        showGlobalOptions: command !== program,
        helpWidth,
        styleUsage: (usage) => hanging('Usage: ', usage, helpWidth).join('\n').slice('Usage: '.length),
        formatItem: (term, termWidth, description) => itemHelp(term, description, { termWidth, helpWidth }),
      })
      .configureOutput({ writeOut: write, writeErr: write, outputError: () => undefined })
      .exitOverride();
  });
}

function everywhere(command: Command, setUp: (command: Command) => void): Command {
  setUp(command);
  for (const below of command.commands) everywhere(below, setUp);
  return command;
}

function configure(command: Command, spec: CommandSpec, helpWidth: number, onParsed: (parsed: Parsed) => void): void {
  command.description(spec.description);
  for (const argument of spec.arguments) command.argument(operandOf(argument), argument.description);
  for (const { flags, description, default: value, parse } of spec.options) {
    const option = new Option(flags.replace(/ (\S+)$/, ' <$1>'), description);
    if (value !== undefined) option.default(value);
    if (parse !== undefined) option.argParser(parse);
    command.addOption(option);
  }
  if (spec.rest !== undefined) {
    const operands = spec.arguments.map(operandOf);
    command.usage(['[options]', ...operands, `[-- ${spec.rest}]`].join(' '));
  }
  command.addHelpText('after', `\n${furtherHelp(spec, helpWidth)}`);
  command.action((...values: unknown[]) => {
    const operands = spec.arguments.map(
      ({ name }, index) => [name, values[index] as string | readonly string[] | undefined] as const,
    );
    onParsed({
      operands: new Map(operands),
      options: command.opts(),
      overrides: readOverrides(command.optsWithGlobals()),
    });
  });
}

function operandOf({ name, count }: ArgumentSpec): string {
  if (count === 'one') return `<${name}>`;
  return count === 'many' ? `[${name}...]` : `[${name}]`;
}

function furtherHelp(spec: CommandSpec, helpWidth: number): string {
  const json = spec.schema === undefined ? 'none: --json is refused' : `${spec.schema} (docs/cli-json.md)`;
  const examples = exampleHelp(spec.examples, helpWidth).join('\n');
  return `Examples:\n${examples}\n\n${exitCodeHelp(spec.exitCodes ?? {}, helpWidth)}\n\n${hanging('JSON schema: ', json, helpWidth).join('\n')}`;
}

/** An argument, option or command, and what is said of it. */
function itemHelp(
  term: string,
  description: string,
  { termWidth, helpWidth }: { readonly termWidth: number; readonly helpWidth: number },
): string {
  const head = ITEM_INDENT + term.padEnd(termWidth) + COLUMN_GAP;
  if (helpWidth - head.length >= COLUMN_WIDTH_MIN) return hanging(head, description, helpWidth).join('\n');
  return [ITEM_INDENT + term, ...wrap(description, helpWidth, BELOW_INDENT)].join('\n');
}

/** Side by side where that fits; else what a command does is said below it. A command stays whole, to be copied. */
function exampleHelp(examples: CommandSpec['examples'], helpWidth: number): readonly string[] {
  const width = Math.max(...examples.map(({ command }) => command.length));
  const beside = examples.map(({ command, does }) => `  ${command.padEnd(width)}  ${does}`);
  if (beside.every((line) => line.length <= helpWidth)) return beside;
  return examples.flatMap(({ command, does }) => [`  ${command}`, ...wrap(does, helpWidth, BELOW_INDENT)]);
}

function exitCodeHelp(own: Partial<Record<ExitCode, string>>, helpWidth: number): string {
  const lines = Object.values(EXIT).flatMap((code) =>
    hanging(`  ${String(code).padEnd(5)}`, own[code] ?? EXIT_MEANING[code], helpWidth),
  );
  return `Exit codes:\n${lines.join('\n')}`;
}

function readOverrides(options: Readonly<Record<string, unknown>>): Overrides {
  const text = (key: string): string | undefined => {
    const value = options[key];
    return typeof value === 'string' ? value : undefined;
  };
  return { config: text('config'), runtime: text('runtime'), dataRoot: text('dataRoot') };
}

/** commander's words, which are good: `unknown option '--fixx'` and `(Did you mean --fix?)`. */
function usageError(error: CommanderError, command: string | undefined): Nexus3Error {
  const help = `nexus3 ${command === undefined ? '' : `${command} `}--help`;
  if (error.code === 'commander.help') {
    return new Nexus3Error('USAGE', `\`nexus3 ${command ?? ''}\` needs a command.`, { hint: `See ${help}` });
  }
  const [first = '', ...rest] = error.message.replace(/^error: /, '').split('\n');
  const sentence = first.charAt(0).toUpperCase() + first.slice(1).replace(/\.$/, '');
  return new Nexus3Error('USAGE', [`${sentence}.`, ...rest].join(' '), { hint: `See ${help}` });
}
