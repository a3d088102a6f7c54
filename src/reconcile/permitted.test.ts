import { describe, expect, it } from 'vitest';
import type { Change } from '../../test/support/facts.js';
import { changed, differing, EMPTIED, ended, folder, foreign, missing } from '../../test/support/facts.js';
import type { Action } from './action.js';
import { whyNot } from './permitted.js';

const vault = { env: 'track', role: 'vault' } as const;
const operational = { env: 'track', role: 'operational' } as const;
const held = [EMPTIED, ended('vault')];
const rotate: Action = { kind: 'rotate-credential', env: 'track', name: 'replicator' };

describe('what no plan may hold', () => {
  it.each<[string, readonly Change[], Action, RegExp | undefined]>([
    ['anything on a stranger’s vault', [foreign('vault')], { kind: 'load-users', on: vault }, /not made by nexus3/],
    ['following a stranger’s vault', [foreign('vault')], { kind: 'attach', on: operational }, /not made by nexus3/],
    ['a new password that a stranger would learn', [foreign('operational')], rotate, /not made by nexus3/],
    ['but our own beside it may start', [foreign('vault')], { kind: 'start', on: operational }, undefined],
    ['starting a held vault', held, { kind: 'start', on: vault }, /recover track --vault/],
    ['following a held vault', held, { kind: 'attach', on: operational }, /recover track --vault/],
    ['waiting for a held vault', held, { kind: 'wait-for-link', on: operational }, /recover track --vault/],
    ['but its operational may start', held, { kind: 'start', on: operational }, undefined],
    ['but its users may be put right', held, { kind: 'load-users', on: vault }, undefined],
    [
      'following a fenced one',
      [folder('vault', { fenced: true })],
      { kind: 'attach', on: operational },
      /recover track/,
    ],
    ['but it may start, fenced', [folder('vault', { fenced: true })], { kind: 'start', on: vault }, undefined],
    ['another image for a vault', [differing('vault', 'image')], { kind: 'recreate', on: vault }, /by hand/],
    ['but for an operational', [differing('operational', 'image')], { kind: 'recreate', on: operational }, undefined],
    ['making what is missing is allowed', [missing('vault')], { kind: 'create', on: vault }, undefined],
    ['all else is allowed', [], rotate, undefined],
  ])('%s', (_, changes, action, expected) => {
    const reason = whyNot(action, changed(...changes));
    if (expected === undefined) expect(reason).toBeUndefined();
    else expect(reason).toMatch(expected);
  });
});
