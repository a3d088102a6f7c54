/** Second: the redis-server of the npm platform package, where this machine's C library is new enough for it. */
import type { Proposal, Strategy, Surroundings } from './engine.js';

export const npmPackage: Strategy = {
  name: 'npm-package',
  title: 'the npm platform package as it is',
  propose({ npmServer, module }: Surroundings): Proposal {
    if ('missing' in npmServer) return { why: npmServer.missing };
    if ('missing' in module) return { why: module.missing };
    return { candidates: [{ command: [npmServer.path], modulePath: module.path, dependsOn: [] }] };
  },
};
