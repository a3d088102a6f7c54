/** Adding and removing an environment in nexus3.yaml: validated before it is written, written whole. */
import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Nexus3Error, systemErrorCode } from '../errors.js';
import { makeFolder, writeFileWhole } from '../files.js';
import type { Environment } from '../protocol/environment.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import type { Configuration, ConfiguredEnvironment } from './configuration.js';
import { renderConfigFile } from './init.js';
import type { Surroundings } from './locate.js';
import { CONFIG_FILE_NAME, processSurroundings, readConfigFile, userConfigDir } from './locate.js';
import { defaultDataRoot, parseConfigText } from './load.js';

/**
 * Puts an environment into the configuration's file and returns the configuration that then holds. One that is there
 * already, just so, is left alone, so that a killed `create` can be run again.
 *
 * Without a file, one is written into the user's configuration folder (`~/.config/nexus3/nexus3.yaml`), holding the
 * built-in registry and the new environment. There, because it is found from every folder, as the registry was.
 *
 * @throws Nexus3Error ENVIRONMENT_EXISTS, CONFIG_INVALID, FILE_NOT_WRITABLE, DISK_FULL
 */
export async function addEnvironment(
  configuration: Configuration,
  environment: Environment,
  surroundings: Surroundings = processSurroundings(),
): Promise<Configuration> {
  const { textsWithEnvironment } = await import('./edit-text.js');
  return edit(configuration, surroundings, {
    what: `${environment.name}: { vault: ${String(environment.vaultPort)}${environment.kind === 'secure' ? ', kind: secure' : ''} }`,
    verb: 'added to',
    isDone: (environments) => {
      const same = environments.find(({ name }) => name === environment.name);
      if (same === undefined) return false;
      if (same.vaultPort === environment.vaultPort && same.kind === environment.kind) return true;
      throw new Nexus3Error('ENVIRONMENT_EXISTS', `There is an environment "${environment.name}" already.`, {
        evidence: [`a ${same.kind} one with its vault on port ${String(same.vaultPort)}`],
        hint: 'Choose another name, or remove that one first.',
      });
    },
    texts: (text) => textsWithEnvironment(text, environment),
    isRight: (before, after) =>
      sameButOne(before, after, environment.name) &&
      after.some(
        ({ name, kind, vaultPort }) =>
          name === environment.name && kind === environment.kind && vaultPort === environment.vaultPort,
      ),
  });
}

/**
 * Takes an environment out of the configuration's file; one that is not there is no mistake. Without a file, one is
 * written as by `addEnvironment`. A comment on the environment's own line goes with it, all others stay.
 *
 * @throws Nexus3Error USAGE for Locker, CONFIG_INVALID, FILE_NOT_WRITABLE, DISK_FULL
 */
export async function removeEnvironment(
  configuration: Configuration,
  name: string,
  surroundings: Surroundings = processSurroundings(),
): Promise<Configuration> {
  if (name === LOCKER_NAME) {
    throw new Nexus3Error('USAGE', 'Locker cannot be removed: it keeps the credentials of all environments.', {
      hint: 'Stop it with `nexus3 down locker` if it should not run.',
    });
  }
  const { textsWithoutEnvironment } = await import('./edit-text.js');
  return edit(configuration, surroundings, {
    what: `the entry ${name}`,
    verb: 'removed from',
    isDone: (environments) => !environments.some((environment) => environment.name === name),
    texts: (text) => textsWithoutEnvironment(text, name),
    isRight: (before, after) =>
      sameButOne(before, after, name) && !after.some((environment) => environment.name === name),
  });
}

type Environments = readonly ConfiguredEnvironment[];

interface Edit {
  readonly what: string;
  readonly verb: string;
  readonly isDone: (environments: Environments) => boolean;
  readonly texts: (text: string) => readonly (() => string | undefined)[];
  readonly isRight: (before: Environments, after: Environments) => boolean;
}

async function edit(configuration: Configuration, surroundings: Surroundings, change: Edit): Promise<Configuration> {
  const path = configuration.file ?? join(userConfigDir(surroundings), CONFIG_FILE_NAME);
  const text = (await readConfigFile(path)) ?? textOf(configuration, surroundings);
  const before = (await parseConfigText({ path, text })).environments;
  if (change.isDone(before)) return { ...configuration, file: configuration.file ?? path, environments: before };
  for (const attempt of change.texts(text)) {
    const changed = attempt();
    const after = changed === undefined ? undefined : await environmentsOf(path, changed);
    if (changed !== undefined && after !== undefined && change.isRight(before, after)) {
      await writeConfigFile(path, changed);
      return { ...configuration, file: path, environments: after };
    }
  }
  // Say what is wrong with the plain change where the schema can: a port in use, too many environments.
  const plain = change.texts(text)[0]?.();
  if (plain !== undefined) await parseConfigText({ path, text: plain });
  throw new Nexus3Error('CONFIG_INVALID', `${path} is written in a way that nexus3 cannot edit.`, {
    evidence: [`${change.what} could not be ${change.verb} it without changing something else`],
    hint: `Edit ${path} by hand, then run the command again.`,
  });
}

async function environmentsOf(path: string, text: string): Promise<Environments | undefined> {
  try {
    return (await parseConfigText({ path, text })).environments;
  } catch (error) {
    if (error instanceof Nexus3Error) return undefined;
    throw error;
  }
}

function sameButOne(before: Environments, after: Environments, name: string): boolean {
  const others = (environments: Environments): string =>
    JSON.stringify(environments.filter((environment) => environment.name !== name));
  return others(before) === others(after);
}

/** What held without a file, as a file. */
function textOf(configuration: Configuration, surroundings: Surroundings): string {
  const isDefault = configuration.dataRoot === defaultDataRoot(configuration.runtime, surroundings);
  return renderConfigFile({
    runtime: configuration.runtime,
    dataRoot: isDefault ? undefined : configuration.dataRoot,
    environments: configuration.environments,
  });
}

/** Behind a symbolic link the file itself is replaced, with its mode and owner kept. */
async function writeConfigFile(path: string, text: string): Promise<void> {
  const target = await existing(path);
  if (target === undefined) {
    await makeFolder(dirname(path), { mode: 0o755 });
    await writeFileWhole(path, text, { mode: 0o644 });
    return;
  }
  const { mode, uid, gid } = await stat(target);
  const owner = process.getuid?.() === 0 ? { uid, gid } : undefined;
  await writeFileWhole(target, text, { mode: mode & 0o777, owner });
}

async function existing(path: string): Promise<string | undefined> {
  try {
    return await realpath(path);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
