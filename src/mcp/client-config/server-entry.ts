/** How a host starts a server: a program, its arguments, and paths in its environment. Never a secret. Pure. */

/** As every host has it. */
export interface ServerEntry {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

export interface EntryParts {
  /** Absolute: of node. */
  readonly node: string;
  /** Absolute: of the `nexus3` command. */
  readonly main: string;
  /** Before the command: `--config` and its absolute path, … */
  readonly globals: readonly string[];
  /** Of nexus3, by which it finds its files: hosts do not hand on those of a shell. */
  readonly variables: Readonly<Record<string, string | undefined>>;
}

export interface DataEntryOptions {
  readonly envs: readonly string[];
  readonly write: boolean;
  /** Absolute. */
  readonly token: string | undefined;
}

export const CONTROL_SUFFIX = '-control';

/** Paths all of them. */
const VARIABLES = ['NEXUS3_ROOT_KEY_FILE', 'XDG_CONFIG_HOME', 'XDG_DATA_HOME'];
/** Only where it is a socket's path. */
const DOCKER_VARIABLE = 'DOCKER_HOST';

export function dataEntry(parts: EntryParts, { envs, write, token }: DataEntryOptions): ServerEntry {
  const words = [...envs, ...(write ? ['--write'] : []), ...(token === undefined ? [] : ['--token', token])];
  // A token says where everything is.
  return entry(parts, ['mcp', 'serve', ...words], token === undefined ? VARIABLES : []);
}

export function controlEntry(parts: EntryParts, allowChanges: boolean): ServerEntry {
  const words = ['mcp', 'control', ...(allowChanges ? ['--allow-changes'] : [])];
  const isSocket = parts.variables[DOCKER_VARIABLE]?.startsWith('unix://') === true;
  return entry(parts, words, isSocket ? [...VARIABLES, DOCKER_VARIABLE] : VARIABLES);
}

function entry(
  { node, main, globals, variables }: EntryParts,
  words: readonly string[],
  names: readonly string[],
): ServerEntry {
  const env = Object.fromEntries(
    names.flatMap((name) => {
      const value = variables[name];
      return value === undefined || value === '' ? [] : [[name, value] as const];
    }),
  );
  const started = { command: node, args: [main, ...globals, ...words] };
  return Object.keys(env).length === 0 ? started : { ...started, env };
}

/** Whether what stands there starts a server of nexus3, wherever that is installed. */
export function isOurs(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || !('args' in value) || !Array.isArray(value.args)) return false;
  const words: readonly unknown[] = value.args;
  const at = words.indexOf('mcp');
  return at !== -1 && (words[at + 1] === 'serve' || words[at + 1] === 'control');
}
