import { describe, expect, it } from 'vitest';
import type { Change } from '../../test/support/facts.js';
import { changed, differing, EMPTIED, ended, folder, foreign, missing } from '../../test/support/facts.js';
import type { Action } from './action.js';
import { whyNot } from './permitted.js';

const vault = { env: 'track', role: 'vault' } as const;
const operational = { env: 'track', role: 'operational' } as const;
const restoring = (phase: 'replacing' | 'proving' | 'opening' | 'taking-back'): readonly Change[] => [
  (facts) => ({ ...facts, restore: { phase, source: '20260108T120000Z-1a2b', startedAt: '2026-01-08T12:00:00.000Z' } }),
];
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
    ['starting a vault between two copies', restoring('replacing'), { kind: 'start', on: vault }, /restore track, or/],
    ['rendering it', restoring('proving'), { kind: 'render', on: vault }, /restore track --abort/],
    ['what failed is only put back', restoring('taking-back'), { kind: 'start', on: vault }, /restore track --abort$/],
    ['following it', restoring('proving'), { kind: 'attach', on: operational }, /restore track/],
    ['another password for it', restoring('proving'), rotate, /restore track/],
    ['but its operational may start', restoring('proving'), { kind: 'start', on: operational }, undefined],
    ['and all may be done when it is proven', restoring('opening'), { kind: 'start', on: vault }, undefined],
    ['all else is allowed', [], rotate, undefined],
  ])('%s', (_, changes, action, expected) => {
    const reason = whyNot(action, changed(...changes));
    if (expected === undefined) expect(reason).toBeUndefined();
    else expect(reason).toMatch(expected);
  });
});
