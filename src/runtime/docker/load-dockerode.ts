/**
 * Loads dockerode in about 30 ms instead of 130 ms. Its module graph brings an SSH client, a gRPC server and a tar
 * packer, for remote engines and image builds, neither of which nexus3 has; `check` of a whole registry should take less
 * time than loading those. They are replaced by empty modules while dockerode is loaded, and only then: whoever else
 * needs them later gets the real ones.
 */
import { createRequire } from 'node:module';
import type Docker from 'dockerode';

/** Where it is required, and what. */
const UNUSED = [
  ['dockerode', '@grpc/grpc-js'],
  ['dockerode', '@grpc/proto-loader'],
  ['dockerode', 'tar-fs'],
  ['dockerode', '@balena/dockerignore'],
  ['docker-modem', 'ssh2'],
] as const;

let loaded: typeof Docker | undefined;

export function loadDockerode(): typeof Docker {
  loaded ??= loadWithoutUnused();
  return loaded;
}

function loadWithoutUnused(): typeof Docker {
  const require = createRequire(import.meta.url);
  const within = { dockerode: createRequire(require.resolve('dockerode')) };
  const requires = { ...within, 'docker-modem': createRequire(within.dockerode.resolve('docker-modem')) };
  const replaced: string[] = [];
  for (const [user, library] of UNUSED) {
    const file = resolveOrUndefined(requires[user], library);
    if (file === undefined || require.cache[file] !== undefined) continue;
    require.cache[file] = emptyModule(file, require);
    replaced.push(file);
  }
  try {
    return require('dockerode') as typeof Docker;
  } finally {
    for (const file of replaced) Reflect.deleteProperty(require.cache, file);
  }
}

/** A dockerode that no longer needs one of them is none the worse for it. */
function resolveOrUndefined(from: NodeJS.Require, library: string): string | undefined {
  try {
    return from.resolve(library);
  } catch {
    return undefined;
  }
}

function emptyModule(file: string, require: NodeJS.Require): NodeJS.Module {
  const empty = { id: file, path: file, filename: file, loaded: true, exports: {}, children: [], paths: [], require };
  return { ...empty, isPreloading: false } as Partial<NodeJS.Module> as NodeJS.Module;
}
