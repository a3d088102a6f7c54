/** `mcp new NAME`: a small, complete, tested MCP server for one environment, in a folder of its own. */
import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Configuration } from '../../config/configuration.js';
import type { Surroundings } from '../../config/locate.js';
import { Nexus3Error } from '../../errors.js';
import type { EnvironmentKind } from '../../protocol/environment.js';
import { isEnvironmentName, LOCKER_NAME } from '../../protocol/environment.js';
import { fillTemplate } from './template.js';
import { placeOfNewFolder, writeFolderWhole } from './write-folder.js';

export interface NewServerOptions {
  readonly name: string;
  readonly environment: string;
  /** Relative to the current folder; `./NAME` by default. */
  readonly dir?: string | undefined;
  /** The folder of this nexus3's package. */
  readonly packageRoot: string;
  /** The program that MCP clients start the server with: the Node.js that runs now. */
  readonly node: string;
}

export interface NewServerReport {
  readonly name: string;
  readonly environment: string;
  readonly kind: EnvironmentKind;
  /** Absolute. */
  readonly dir: string;
  /** What was written, relative to `dir`. */
  readonly files: readonly string[];
  /** Shell commands, in order. */
  readonly next: readonly string[];
  /** For the configuration of an MCP client: file paths, never a secret. */
  readonly client: ClientConfiguration;
}

export interface ClientConfiguration {
  readonly mcpServers: Readonly<
    Record<
      string,
      {
        readonly command: string;
        readonly args: readonly string[];
        readonly env?: Readonly<Record<string, string>>;
      }
    >
  >;
}

/** The new package depends on these; one of the same name would depend on itself. */
const NAMES_TAKEN = ['nexus3', 'typescript', 'zod'];
const NAME_CHARACTERS_SHOWN_MAX = 40;
/** Paths of files that say where credentials are found. A client hands a server few variables by itself. */
const PASSED_ON = ['NEXUS3_ROOT_KEY_FILE', 'NEXUS3_TOKEN_FILE', 'XDG_CONFIG_HOME'];

/**
 * Written whole or not at all; nothing is overwritten, and no server is asked.
 * @throws Nexus3Error NAME_INVALID, ENVIRONMENT_UNKNOWN, USAGE, FOLDER_NOT_EMPTY, FILE_NOT_WRITABLE, DISK_FULL
 */
export async function newServer(
  configuration: Configuration,
  options: NewServerOptions,
  { cwd, env }: Surroundings,
): Promise<NewServerReport> {
  const { name, packageRoot } = options;
  refuseBadName(name);
  const kind = kindOf(configuration, options.environment);
  const dir = await placeOfNewFolder(resolve(cwd, options.dir ?? name));
  if (dir === resolve(cwd)) throw currentFolder();
  const client = clientConfiguration(name, dir, options.node, passedOn(env, cwd));
  const files = await fillTemplate(join(packageRoot, 'templates', 'mcp-server'), {
    name,
    environment: options.environment,
    routes: routesOf(kind),
    config: configuration.file ?? '',
    nexus3: packageRoot,
    client: JSON.stringify(client, null, 2),
    versions: await versionsOf(packageRoot),
  });
  await writeFolderWhole(dir, files);
  const next = [`cd ${asWord(dir)}`, 'npm install', 'npm test', 'npm start'];
  return { name, environment: options.environment, kind, dir, files: [...files.keys()], next, client };
}

function refuseBadName(name: string): void {
  if (isEnvironmentName(name) && !NAMES_TAKEN.includes(name)) return;
  const shown = name.length > NAME_CHARACTERS_SHOWN_MAX ? `${name.slice(0, NAME_CHARACTERS_SHOWN_MAX)}…` : name;
  throw new Nexus3Error('NAME_INVALID', `${JSON.stringify(shown)} cannot be the name of a server.`, {
    hint: `Begin with a lower-case letter, then up to 30 of a–z, 0–9 and "-": notes, team-notes. Not ${NAMES_TAKEN.join(', ')}, which it depends on.`,
  });
}

function kindOf({ environments }: Configuration, environment: string): EnvironmentKind {
  const found = environments.find(({ name }) => name === environment);
  if (environment === LOCKER_NAME) {
    throw new Nexus3Error('USAGE', 'Locker keeps the passwords of all environments; no agent gets a server on it.', {
      hint: 'Make an environment of its own for the server: nexus3 create NAME',
    });
  }
  if (found !== undefined) return found.kind;
  const usable = environments.map(({ name }) => name).filter((name) => name !== LOCKER_NAME);
  const shown = environment.slice(0, NAME_CHARACTERS_SHOWN_MAX);
  throw new Nexus3Error('ENVIRONMENT_UNKNOWN', `There is no environment named ${JSON.stringify(shown)}.`, {
    evidence: [`known: ${usable.join(', ')}`],
    hint: `Check the spelling, or make it: nexus3 create ${isEnvironmentName(environment) ? environment : 'NAME'}`,
  });
}

/** A shell standing in it would stand in a folder that is gone, because the new one takes its place. */
function currentFolder(): Nexus3Error {
  return new Nexus3Error('USAGE', 'The new server cannot take the place of the current folder.', {
    hint: 'Go one folder up and name it from there: cd .. and --dir FOLDER',
  });
}

function routesOf(kind: EnvironmentKind): string {
  return kind === 'standard'
    ? 'it writes to the vault and reads from the operational, or from the vault while that one is down.'
    : 'a Secure Environment, so it writes to the vault and reads from it, too.';
}

function passedOn(env: Surroundings['env'], cwd: string): Readonly<Record<string, string>> {
  const set = PASSED_ON.map((name) => [name, env[name] ?? ''] as const).filter(([, path]) => path !== '');
  return Object.fromEntries(set.map(([name, path]) => [name, resolve(cwd, path)]));
}

function clientConfiguration(
  name: string,
  dir: string,
  node: string,
  env: Readonly<Record<string, string>>,
): ClientConfiguration {
  const server = { command: node, args: [join(dir, 'dist', 'src', 'server.js')] };
  return { mcpServers: { [name]: Object.keys(env).length === 0 ? server : { ...server, env } } };
}

/** Exactly those that nexus3 itself was tested with. */
async function versionsOf(packageRoot: string): Promise<Readonly<Record<string, string>>> {
  const manifest = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8')) as Readonly<
    Record<'dependencies' | 'devDependencies', Readonly<Record<string, string>>>
  >;
  return { ...manifest.devDependencies, ...manifest.dependencies };
}

/** Quoted only where a shell would need it. */
function asWord(path: string): string {
  return /^[\w./+@:-]+$/.test(path) ? path : `'${path.replaceAll(`'`, `'\\''`)}'`;
}
