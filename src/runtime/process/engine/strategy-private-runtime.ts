/** Last: the npm package's redis-server on libraries of its own, which `nexus3 engine fetch` put into the engine folder. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Candidate, Proposal, Strategy, Surroundings } from './engine.js';

/** The name of the dynamic loader that starts a program on other libraries than the machine's. */
export const LOADER = 'ld-linux-x86-64.so.2';

/** Where the fetched libraries lie, whole or not at all. */
export function runtimeFolder(engineHome: string): string {
  return join(engineHome, 'runtime');
}

export const privateRuntime: Strategy = {
  name: 'private-runtime',
  title: 'the private runtime that nexus3 fetched',
  propose({ engineHome, npmServer, module }: Surroundings): Proposal {
    const libraries = runtimeFolder(engineHome);
    if (!existsSync(join(libraries, LOADER))) return { why: `none has been fetched into ${engineHome}` };
    if ('missing' in npmServer) return { why: npmServer.missing };
    if ('missing' in module) return { why: module.missing };
    return { candidates: [onLibraries(libraries, npmServer.path, module.path)] };
  },
};

export function onLibraries(libraries: string, server: string, modulePath: string | undefined): Candidate {
  return {
    command: [join(libraries, LOADER), '--library-path', libraries, server],
    modulePath,
    dependsOn: [libraries, server],
  };
}
