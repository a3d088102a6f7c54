/** A command is data: what it is called, takes and says of itself, and one function that runs it. */
import type { ExitCode } from '../errors.js';
import { EXIT, Nexus3Error } from '../errors.js';
import type { Context } from './context.js';

export interface ArgumentSpec {
  readonly name: string;
  readonly description: string;
  /** `one` must be there; `optional` and `many` may be none. */
  readonly count: 'one' | 'optional' | 'many';
}

export type OptionValue = string | number;

export interface OptionSpec {
  /** `--lines N`, or `--yes` for one without a value. */
  readonly flags: string;
  /** With the unit, where there is one. */
  readonly description: string;
  readonly default?: OptionValue;
  /** Reads the value; throws a Nexus3Error for what is not one. */
  readonly parse?: (text: string) => OptionValue;
}

export interface Example {
  readonly command: string;
  readonly does: string;
}

/** How a command that another one was run by has ended: any number, and not ours to give a meaning. */
export type PassedOnCode = number & { readonly passedOn: unique symbol };

export interface CommandSpec {
  /** One word, or two for a command of a group: `credentials get`. */
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly arguments: readonly ArgumentSpec[];
  readonly options: readonly OptionSpec[];
  readonly examples: readonly Example[];
  /** Where this command means something more exact by an exit code than EXIT_MEANING says. */
  readonly exitCodes?: Partial<Record<ExitCode, string>>;
  /** `nexus3.check/1`; undefined for a command that refuses --json. */
  readonly schema: string | undefined;
  /** What stands behind `--` is taken as it is: its name in the usage line. */
  readonly rest?: string;
  /** Ctrl-C is how a person ends it: nothing needs to be said then. */
  readonly endsByInterrupt?: boolean;
  /** It serves until it is told to end, watches the signal itself, and has done well when it has ended by it. */
  readonly servesUntilSignal?: boolean;
  run(args: Arguments, context: Context): Promise<ExitCode | PassedOnCode>;
}

export const EXIT_MEANING: Readonly<Record<ExitCode, string>> = {
  [EXIT.good]: 'good',
  [EXIT.problem]: 'a problem was found, or is left',
  [EXIT.usage]: 'wrong usage or configuration; nothing was done',
  [EXIT.unreachable]: 'the runtime or Locker cannot be reached',
  [EXIT.interrupted]: 'interrupted',
};

/** What was typed, read by the names that the command declares. */
export class Arguments {
  constructor(
    private readonly operands: ReadonlyMap<string, string | readonly string[] | undefined>,
    private readonly options: Readonly<Record<string, unknown>>,
    /** Behind `--`. */
    readonly rest: readonly string[],
  ) {}

  one(name: string): string {
    const value = this.operands.get(name);
    if (typeof value === 'string') return value;
    throw new TypeError(`the command declares no argument ${name}`);
  }

  /** Undefined: it was left out. */
  optional(name: string): string | undefined {
    const value = this.operands.get(name);
    return typeof value === 'string' ? value : undefined;
  }

  many(name: string): readonly string[] {
    const value = this.operands.get(name);
    return typeof value === 'object' ? value : [];
  }

  flag(name: string): boolean {
    return this.options[camelCase(name)] === true;
  }

  text(name: string): string | undefined {
    const value = this.options[camelCase(name)];
    return typeof value === 'string' ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.options[camelCase(name)];
    return typeof value === 'number' ? value : undefined;
  }
}

/** `data-root` is `dataRoot` in commander's hands. */
function camelCase(name: string): string {
  return name.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** For `parse`: a whole number within bounds. */
export function wholeNumber(min: number, max: number, meaning: string): (text: string) => number {
  return (text) => {
    const value = /^\d{1,12}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new Nexus3Error('USAGE', `${JSON.stringify(text)} is not ${meaning}.`, {
      hint: `Give a whole number from ${String(min)} to ${String(max)}.`,
    });
  };
}
