import { describe, expect, it } from 'vitest';
import type { Change } from '../../../test/support/facts.js';
import {
  changed,
  differing,
  EMPTIED,
  ended,
  folder,
  foreign,
  healthy,
  missing,
  server,
  unreachable,
  USER,
} from '../../../test/support/facts.js';
import { Nexus3Error } from '../../errors.js';
import type { EnvironmentFacts } from '../facts.js';
import { admit } from './recover.js';

/** The recovery that is admitted, or the code of the refusal. */
function decide(
  facts: EnvironmentFacts,
  asked: { readonly vault?: boolean; readonly acceptLoss?: boolean; readonly unfinished?: boolean } = {},
): string {
  const { vault = false, acceptLoss = false, unfinished = false } = asked;
  try {
    return admit(facts, { env: facts.environment.name, vault, acceptLoss }, unfinished);
  } catch (error) {
    if (!(error instanceof Nexus3Error)) throw error;
    expect(error.hint).not.toBe('');
    return error.code;
  }
}

const heldVault = [EMPTIED, ended('vault', { exitCode: 78 })];
const noData = [missing('operational'), folder('operational', { hasData: false })];
const fenced = folder('vault', { fenced: true, drifted: ['users.acl'] });
const REFUSED = 'RECOVER_REFUSED';

describe('which recovery it is', () => {
  it.each<[string, readonly Change[], [plain: string, vault: string, acceptLoss: string]]>([
    ['healthy', [], ['operational', REFUSED, REFUSED]],
    ['the operational is stopped', [ended('operational')], ['operational', REFUSED, REFUSED]],
    ['the operational is gone', noData, ['operational', REFUSED, REFUSED]],
    ['the vault is stopped: its operational may be the last copy', [ended('vault')], [REFUSED, REFUSED, REFUSED]],
    ['the vault is a replica', [server('vault', { role: 'replica' })], [REFUSED, REFUSED, REFUSED]],
    ['the vault is held', heldVault, [REFUSED, 'vault', 'accept-loss']],
    ['held, and the operational is stopped', [...heldVault, ended('operational')], [REFUSED, 'vault', 'accept-loss']],
    ['held, and the operational has nothing', [...heldVault, ...noData], [REFUSED, REFUSED, 'accept-loss']],
    [
      'held, and the operational runs without a key',
      [...heldVault, server('operational', { keyspace: [] })],
      [REFUSED, REFUSED, 'accept-loss'],
    ],
    [
      'held, and the operational’s data lie elsewhere',
      [...heldVault, differing('operational', 'mount')],
      [REFUSED, REFUSED, 'accept-loss'],
    ],
    ['held while it runs', [EMPTIED], [REFUSED, 'vault', 'accept-loss']],
    [
      'no key, and not through the guard',
      [server('vault', { keyspace: [], configFile: '' })],
      [REFUSED, 'vault', 'accept-loss'],
    ],
    ['fenced by one that was cut off', [fenced], [REFUSED, 'vault', 'accept-loss']],
    ['fenced and stopped', [fenced, ended('vault')], [REFUSED, 'vault', 'accept-loss']],
    [
      'a restore of it was cut off',
      [(facts) => ({ ...facts, restore: { phase: 'proving', source: '20260108T120000Z-1a2b', startedAt: '' } })],
      [REFUSED, REFUSED, REFUSED],
    ],
    ['a stranger’s vault', [foreign('vault')], ['FOREIGN_INSTANCE', 'FOREIGN_INSTANCE', 'FOREIGN_INSTANCE']],
    [
      'a stranger’s operational',
      [...heldVault, foreign('operational')],
      ['FOREIGN_INSTANCE', 'FOREIGN_INSTANCE', 'FOREIGN_INSTANCE'],
    ],
  ])('%s', (_, changes, expected) => {
    const facts = changed(...changes);
    expect([decide(facts), decide(facts, { vault: true }), decide(facts, { vault: true, acceptLoss: true })]).toEqual(
      expected,
    );
  });

  it.each([
    ['stopped', ended('vault'), /the vault: stopped/],
    ['a replica', server('vault', { role: 'replica' }), /the vault: running, answers as a replica/],
    ['silent', unreachable('vault'), /the vault: running, unreachable, \w+/],
  ])('says what was seen of a vault that does not serve: %s', (_, change, expected) => {
    try {
      admit(changed(change), { env: 'track', vault: false, acceptLoss: false }, false);
      expect.unreachable();
    } catch (error) {
      expect(error instanceof Nexus3Error ? error.evidence.join() : error).toMatch(expected);
    }
  });

  it('says that a recovery was cut off, rather than that the vault does not serve', () => {
    const recovery = (): unknown => admit(changed(fenced), { env: 'track', vault: false, acceptLoss: false }, true);
    expect(recovery).toThrow(/A recovery of the vault of track was cut off/);
  });

  it('one that was cut off after the proof is tidied up, when the vault serves', () => {
    expect(decide(healthy(), { vault: true, unfinished: true })).toBe('finish-vault');
    expect(decide(changed(ended('vault')), { vault: true, unfinished: true })).toBe(REFUSED);
    expect(decide(changed(...heldVault), { vault: true, unfinished: true })).toBe('vault');
  });

  it('a Secure Environment has nothing to rebuild from, but a loss may be accepted', () => {
    const held = heldVault.reduce((facts, change) => change(facts), healthy(USER));
    expect([decide(healthy(USER)), decide(held), decide(held, { vault: true })]).toEqual([REFUSED, REFUSED, REFUSED]);
    expect(decide(held, { vault: true, acceptLoss: true })).toBe('accept-loss');
  });
});
