/** Where engines are looked for: the engine folder, the npm package, and what the user named. */
import { accessSync, constants, existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import type { EngineOptions, Surroundings } from './engine.js';
import { MODULE_NONE } from './engine.js';

/** $NEXUS3_ENGINE_HOME, else `nexus3-engine` in the XDG data folder. */
export function engineHome(env: NodeJS.ProcessEnv): string {
  const own = env['NEXUS3_ENGINE_HOME'];
  if (own !== undefined && own !== '') return resolve(own);
  const xdg = env['XDG_DATA_HOME'];
  // The XDG base directory specification: a relative path is to be ignored.
  const data = xdg !== undefined && isAbsolute(xdg) ? xdg : join(env['HOME'] ?? homedir(), '.local', 'share');
  return join(data, 'nexus3-engine');
}

export function lookAround(options: EngineOptions): Surroundings {
  const env = options.env ?? process.env;
  const npm = npmPackageFolder();
  const file = (name: string): { path: string } | { missing: string } => {
    if ('missing' in npm) return npm;
    const path = join(npm.path, 'bin', name);
    return existsSync(path) ? { path } : { missing: `${path} is not there; run: npm ci` };
  };
  return {
    env,
    engineHome: engineHome(env),
    explicitEngine: named(options.engine, env['NEXUS3_ENGINE']),
    module: chooseModule(named(options.module, env['NEXUS3_MODULE']), () => file('falkordb.so')),
    npmServer: file('redis-server'),
  };
}

export function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function named(configured: string | undefined, fromEnvironment: string | undefined): string | undefined {
  return configured ?? (fromEnvironment === '' ? undefined : fromEnvironment);
}

function chooseModule(
  name: string | undefined,
  ofNpmPackage: () => { path: string } | { missing: string },
): Surroundings['module'] {
  if (name === MODULE_NONE) return { path: undefined };
  if (name === undefined) return ofNpmPackage();
  const path = resolve(name);
  return existsSync(path) ? { path } : { missing: `the graph module that was named is not there: ${path}` };
}

/** The package carries binaries for one platform; npm leaves it out on others. */
function npmPackageFolder(): { readonly path: string } | { readonly missing: string } {
  const platform = `${process.platform}-${process.arch}`;
  const name = `@falkordblite/${platform}`;
  try {
    return { path: dirname(createRequire(import.meta.url).resolve(`${name}/package.json`)) };
  } catch {
    return platform === 'linux-x64'
      ? { missing: `the npm package ${name} is not installed; run: npm ci` }
      : { missing: `there is no npm package with an engine for ${platform}` };
  }
}
