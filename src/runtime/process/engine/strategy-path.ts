/** Third: a redis-server or valkey-server of this machine. */
import { delimiter, isAbsolute, join } from 'node:path';
import type { Candidate, Proposal, Strategy, Surroundings } from './engine.js';
import { isExecutable } from './surroundings.js';

const SERVER_NAMES = ['redis-server', 'valkey-server'];
/** Tools that system administrators' paths hold and others' may not. */
const ALSO = ['/usr/local/bin', '/usr/bin'];
const CANDIDATES_MAX = 8;

export const onPath: Strategy = {
  name: 'path',
  title: 'redis-server or valkey-server on PATH',
  propose({ env, module }: Surroundings): Proposal {
    const folders = new Set([...(env['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder)), ...ALSO]);
    const found = [...folders]
      .flatMap((folder) => SERVER_NAMES.map((name) => join(folder, name)))
      .filter(isExecutable)
      .slice(0, CANDIDATES_MAX);
    if (found.length === 0) return { why: `neither ${SERVER_NAMES.join(' nor ')} is installed` };
    if ('missing' in module) return { why: module.missing };
    const modulePath = module.path;
    return { candidates: found.map((path): Candidate => ({ command: [path], modulePath, dependsOn: [] })) };
  },
};
