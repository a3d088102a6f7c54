/** First: the engine that the user named. Where one is named, no other is looked for. */
import { resolve } from 'node:path';
import type { Proposal, Strategy, Surroundings } from './engine.js';
import { isExecutable } from './surroundings.js';

export const explicitEngine: Strategy = {
  name: 'explicit',
  title: 'the engine named in the configuration or in $NEXUS3_ENGINE',
  propose({ explicitEngine: named, module }: Surroundings): Proposal {
    if (named === undefined) return { why: 'none is named' };
    const path = resolve(named);
    if (!isExecutable(path)) return { why: `${path} is not there or cannot be executed` };
    if ('missing' in module) return { why: module.missing };
    return { candidates: [{ command: [path], modulePath: module.path, dependsOn: [] }] };
  },
};
