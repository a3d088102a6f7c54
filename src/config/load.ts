/** The configuration in effect: nexus3.yaml, or the built-in registry where there is none, under the overrides. */
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { Nexus3Error } from '../errors.js';
import { PROTOCOL_REGISTRY } from '../protocol/registry.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import type { RuntimeName } from '../runtime/runtime.js';
import { placed } from './backup-place.js';
import type { Configuration } from './configuration.js';
import type { FoundFile, Surroundings } from './locate.js';
import { findConfigFile, homeOf, processSurroundings, userDataDir } from './locate.js';
import { configInvalid } from './problems.js';
import type { FileContent } from './schema.js';
import { DEFAULT_BACKUP, DEFAULT_ROTATION, DEFAULTS, readContent, RUNTIME_NAMES } from './schema.js';
import { didYouMean } from './suggest.js';

/** Where the data of Docker containers lie, as protocol v1.0 has it. */
export const DOCKER_DATA_ROOT = '/data/nexus3';

/** From the command line; each as it was typed. */
export interface Overrides {
  /** Path of nexus3.yaml, relative to the current folder; undefined: it is looked for. */
  readonly config?: string | undefined;
  /** `process` or `docker`, instead of the file's; any other text rejects with USAGE. */
  readonly runtime?: string | undefined;
  /** Instead of the file's; relative to the current folder. */
  readonly dataRoot?: string | undefined;
}

/**
 * @throws Nexus3Error CONFIG_NOT_FOUND; CONFIG_INVALID with every mistake and its line as evidence; USAGE for an unknown
 * runtime.
 */
export async function loadConfiguration(
  overrides: Overrides = {},
  surroundings: Surroundings = processSurroundings(),
): Promise<Configuration> {
  const runtime = parseRuntime(overrides.runtime);
  const found = await findConfigFile(overrides.config, surroundings);
  const content = found === undefined ? BUILT_IN : await parseConfigText(found);
  const effective = runtime ?? content.runtime;
  const { dataRoot, engine, module, backup, backupLines, ...rest } = content;
  const base = found === undefined ? surroundings.cwd : dirname(found.path);
  const root = effectiveDataRoot(overrides.dataRoot, dataRoot, base, effective, surroundings);
  const written =
    found === undefined || backupLines === undefined ? undefined : { file: found.path, lines: backupLines };
  return {
    ...rest,
    file: found?.path,
    runtime: effective,
    dataRoot: root,
    backup: placed(backup, root, (path) => pathFrom(base, path, surroundings), written),
    engine: engine === undefined ? undefined : pathFrom(base, engine, surroundings),
    module: module === undefined || module === 'none' ? module : pathFrom(base, module, surroundings),
  };
}

/** @throws Nexus3Error CONFIG_INVALID */
export async function parseConfigText({ path, text }: FoundFile): Promise<FileContent> {
  // Only where there is a file: the YAML library takes longer to load than everything else here.
  const { readTree } = await import('./document.js');
  const { tree, problems } = readTree(text);
  if (problems.length > 0) throw configInvalid(path, problems);
  const read = readContent(tree);
  if (read.content === undefined) throw configInvalid(path, read.problems);
  return read.content;
}

const BUILT_IN: FileContent = {
  ...DEFAULTS,
  dataRoot: undefined,
  engine: undefined,
  module: undefined,
  rotation: DEFAULT_ROTATION,
  backup: DEFAULT_BACKUP,
  backupLines: undefined,
  environments: [...PROTOCOL_REGISTRY]
    .map((environment) => ({ ...environment, settings: DEFAULT_SETTINGS }))
    .sort((a, b) => a.vaultPort - b.vaultPort),
};

export function defaultDataRoot(runtime: RuntimeName, surroundings: Surroundings): string {
  return runtime === 'docker' ? DOCKER_DATA_ROOT : userDataDir(surroundings);
}

function effectiveDataRoot(
  override: string | undefined,
  written: string | undefined,
  base: string,
  runtime: RuntimeName,
  surroundings: Surroundings,
): string {
  if (override !== undefined) return usable(resolve(surroundings.cwd, override));
  return usable(written === undefined ? defaultDataRoot(runtime, surroundings) : pathFrom(base, written, surroundings));
}

/**
 * redis-server takes a configuration path with `*`, `?` or `[` as a pattern, and where it fits nothing starts without any
 * configuration, open (measured, 8.2.3). The start script refuses it, too.
 */
function usable(dataRoot: string): string {
  if (!/[*?[\0\n]/.test(dataRoot)) return dataRoot;
  throw new Nexus3Error('CONFIG_INVALID', 'The data root cannot be used: its path holds *, ?, [ or a line break.', {
    evidence: [`dataRoot: ${JSON.stringify(dataRoot)}`],
    hint: 'Choose a path without them: Redis reads them as a pattern.',
  });
}

function pathFrom(base: string, path: string, surroundings: Surroundings): string {
  if (path === '~' || path.startsWith('~/')) return join(homeOf(surroundings), path.slice(1));
  return isAbsolute(path) ? resolve(path) : resolve(base, path);
}

function parseRuntime(name: string | undefined): RuntimeName | undefined {
  if (name === undefined) return undefined;
  const runtime = RUNTIME_NAMES.find((candidate) => candidate === name);
  if (runtime !== undefined) return runtime;
  throw new Nexus3Error('USAGE', `There is no runtime "${name}"${didYouMean(name, RUNTIME_NAMES)}.`, {
    hint: 'Use --runtime process (local servers) or --runtime docker (containers).',
  });
}
