/**
 * What nexus3 says to a person at a prompt ("nexus3 check track --fix"), said to an agent that has tools and no prompt.
 * A command for which this server has no tool is named as one that the person has to run. Pure.
 */

/** As they stand in hints and remedies: the command, at most one environment, placeholders, flags with what belongs to them. */
const COMMAND = new RegExp(
  [
    '`?nexus3 ',
    '((?:backup|locker|engine|credentials|aside) [a-z]+|status|check|up|down|create|remove|recover|restore|rotate|logs|cli|init)',
    '((?: [a-z][a-z0-9-]*)?(?: [A-Z…]+)*',
    '(?: --(?:fix|vault|dry-run|accept-loss|abort|all|yes)\\b| --[a-z-]+(?: [^\\s`.,;:)]+)?)*)',
    '`?',
  ].join(''),
  'g',
);
const AGAIN = /\brun (?:the|that) (?:same )?command again\b/g;
const BY_HAND = 'no tool here does that: ask the person to run it';

export interface Licence {
  readonly allowChanges: boolean;
}

interface Command {
  readonly name: string;
  readonly env: string | undefined;
  readonly flags: ReadonlySet<string>;
}

interface Instead {
  /** `recover (environment: "track")` */
  readonly tool: string;
  readonly changes: boolean;
}

/** A hint or remedy, for an agent. */
export function inTools(text: string, { allowChanges }: Licence): string {
  const instead = (whole: string, name: string, rest: string): string => {
    const command = `\`${whole.replaceAll('`', '')}\``;
    const words = rest.split(' ').filter((word) => word !== '');
    const flags = new Set(words.filter((word) => word.startsWith('--')));
    const found = toolFor({ name, env: words.find((word) => /^[a-z]/.test(word)), flags });
    if (found === undefined) return `${command} (${BY_HAND})`;
    if (allowChanges || !found.changes) return found.tool;
    return `${command} (the person has to run it: this server was started without --allow-changes)`;
  };
  return text.replace(COMMAND, instead).replace(AGAIN, 'call the same tool again');
}

function toolFor({ name, env, flags }: Command): Instead | undefined {
  const all = env === undefined ? '' : ` (environments: ["${env}"])`;
  const repair = { tool: `plan_fix${all}, then apply_fix with the id of that plan`, changes: true };
  const known = (...names: readonly string[]): boolean => [...flags].every((flag) => names.includes(flag));
  switch (name) {
    case 'status':
    case 'backup list':
      return { tool: `${name.replace(' ', '_')}${all}`, changes: false };
    case 'check':
      if (flags.has('--dry-run')) return { tool: `plan_fix${all}`, changes: false };
      return flags.has('--fix') ? repair : { tool: `check${all}`, changes: false };
    case 'up':
      return env === undefined ? undefined : repair;
    case 'recover': {
      if (env === undefined || !known('--vault')) return undefined;
      const vault = flags.has('--vault') ? ', vault: true' : '';
      return { tool: `recover (environment: "${env}"${vault})`, changes: true };
    }
    case 'rotate':
    case 'backup create':
      return env === undefined || !known() ? undefined : { tool: `${name.replace(' ', '_')}${all}`, changes: true };
    default:
      return undefined;
  }
}

const SAID_TO_PEOPLE: ReadonlySet<string> = new Set(['hint', 'remedy']);

/** Every hint and remedy in a result, wherever it stands. */
export function resultInTools(value: unknown, licence: Licence): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => resultInTools(item, licence));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]: [string, unknown]) => [
      key,
      SAID_TO_PEOPLE.has(key) && typeof item === 'string' ? inTools(item, licence) : resultInTools(item, licence),
    ]),
  );
}
