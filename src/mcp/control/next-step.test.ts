import { describe, expect, it } from 'vitest';
import { inTools, resultInTools } from './next-step.js';

describe('what a person would type, for an agent', () => {
  it.each([
    ['nexus3 check track --fix', 'plan_fix (environments: ["track"]), then apply_fix with the id of that plan'],
    ['nexus3 up track', 'plan_fix (environments: ["track"]), then apply_fix with the id of that plan'],
    [
      'Start it with `nexus3 up locker`',
      'Start it with plan_fix (environments: ["locker"]), then apply_fix with the id of that plan',
    ],
    ['Look at what would be done now: nexus3 check --fix --dry-run', 'Look at what would be done now: plan_fix'],
    [
      'See: nexus3 check track; then run the same command again.',
      'See: check (environments: ["track"]); then call the same tool again.',
    ],
    [
      'See: nexus3 check track. Backups made before are not touched.',
      'See: check (environments: ["track"]). Backups made before are not touched.',
    ],
    ['nexus3 backup create track', 'backup_create (environments: ["track"])'],
    ['nexus3 backup list track', 'backup_list (environments: ["track"])'],
    ['nexus3 rotate track', 'rotate (environments: ["track"])'],
    [
      'Recover it first: nexus3 recover track --vault. See: nexus3 check track',
      'Recover it first: recover (environment: "track", vault: true). See: check (environments: ["track"])',
    ],
    [
      'nexus3 recover track --vault --accept-loss',
      '`nexus3 recover track --vault --accept-loss` (no tool here does that: ask the person to run it)',
    ],
    [
      'Finish that first: nexus3 restore track',
      'Finish that first: `nexus3 restore track` (no tool here does that: ask the person to run it)',
    ],
    [
      'Make one: nexus3 locker export --recovery FILE',
      'Make one: `nexus3 locker export --recovery FILE` (no tool here does that: ask the person to run it)',
    ],
    [
      'Wait, or find what slows it: nexus3 logs, and the load on this host',
      'Wait, or find what slows it: `nexus3 logs` (no tool here does that: ask the person to run it), and the load on this host',
    ],
    ['nexus3 did not write it so. Remove that file.', 'nexus3 did not write it so. Remove that file.'],
    ['Set bind: 127.0.0.1 in nexus3.yaml', 'Set bind: 127.0.0.1 in nexus3.yaml'],
    ['nexus3 up', '`nexus3 up` (no tool here does that: ask the person to run it)'],
  ])('%s', (text, expected) => {
    expect(inTools(text, { allowChanges: true })).toBe(expected);
  });

  it.each([
    [
      'nexus3 check track --fix',
      '`nexus3 check track --fix` (the person has to run it: this server was started without --allow-changes)',
    ],
    ['See: nexus3 check track', 'See: check (environments: ["track"])'],
  ])('of a server that may change nothing: %s', (text, expected) => {
    expect(inTools(text, { allowChanges: false })).toBe(expected);
  });

  it('wherever it stands in a result, and nowhere else', () => {
    const result = {
      message: 'nexus3 check track',
      list: [{ remedy: 'nexus3 rotate track', hint: null }],
      hint: 'nexus3 status',
    };
    expect(resultInTools(result, { allowChanges: true })).toEqual({
      message: 'nexus3 check track',
      list: [{ remedy: 'rotate (environments: ["track"])', hint: null }],
      hint: 'status',
    });
  });
});
