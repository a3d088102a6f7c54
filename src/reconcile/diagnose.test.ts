import { describe, expect, it } from 'vitest';
import type { Change } from '../../test/support/facts.js';
import {
  changed,
  differing,
  EMPTIED,
  ended,
  folder,
  healthy,
  instance,
  missing,
  replicaLink,
  server,
  unreachable,
  users,
} from '../../test/support/facts.js';
import { confirmed, diagnose, needsConfirmation } from './diagnose.js';
import type { EnvironmentFacts } from './facts.js';
import type { Finding, FindingCode } from './finding.js';
import { FINDING_CODES } from './finding.js';
import { RULES } from './findings/index.js';

const findingsOf = (facts: EnvironmentFacts): readonly Finding[] => diagnose(facts).map(({ finding }) => finding);

function findingOf(code: FindingCode, ...changes: readonly Change[]): Finding {
  const finding = findingsOf(changed(...changes)).find((one) => one.code === code);
  if (finding === undefined) throw new Error(`no ${code}`);
  return finding;
}

const engine = (version: string, graphModule = 41_603) => ({ kind: 'redis', version, graphModule }) as const;

describe('what a finding says', () => {
  it.each<[string, readonly Change[], string]>([
    ['the replication password is stale', [server('operational', { masterauthMatches: false })], 'auth'],
    ['another replication user', [server('operational', { masteruser: undefined })], 'auth'],
    ['the replicator is off', [users('vault', 'replicator', 'state')], 'auth'],
    ['no graph module', [server('operational', { engine: engine('8.2.3', 0) })], 'module'],
    ['the vault loads', [server('vault', { loading: true })], 'loading'],
    [
      'its log: the name',
      [instance('operational', () => ({ log: ['Connecting to MASTER', 'Temporary failure in name resolution'] }))],
      'name',
    ],
    [
      'its log: refused, the newest counts',
      [
        instance('operational', () => ({
          log: ['name resolution', 'Error condition on socket for SYNC: Connection refused'],
        })),
      ],
      'refused',
    ],
    ['nobody knows', [], 'unknown'],
  ])('link-down, cause: %s', (_, changes, cause) => {
    expect(findingOf('link-down', replicaLink({ link: 'down' }), ...changes).evidence['cause']).toBe(cause);
  });

  it.each([
    ['172.20.0.2', 'ip'],
    ['172.20.0.9', 'ip'],
    ['elsewhere', 'name'],
  ])('wrong-master by %s: %s', (host, cause) => {
    expect(findingOf('wrong-master', replicaLink({ master: { host, port: 6640 } })).evidence['cause']).toBe(cause);
  });

  it('names the way out of a held vault: its operational, or without one the loss', () => {
    expect(findingOf('vault-empty', EMPTIED, ended('vault')).remedy).toBe(
      'nexus3 recover track --vault rebuilds the vault from its operational',
    );
    const without = [missing('operational'), folder('operational', { hasData: false })];
    expect(findingOf('vault-empty', EMPTIED, ended('vault'), ...without).remedy).toContain('--accept-loss');
  });

  it('says what stands in the way of a repair', () => {
    const finding = findingOf('port-mismatch', differing('vault', 'port', 'image'));
    expect(finding.remedy).toContain('another image');
    expect(findingOf('config-volatile', server('vault', { configFile: '' }), EMPTIED).remedy).toContain(
      'nexus3 recover track --vault',
    );
  });

  it('shows the last log lines of a crash loop', () => {
    const log = ['1', '2', '3', '4'];
    const finding = findingOf(
      'instance-crash-looping',
      ended('vault', { state: 'restarting', exitCode: 1 }),
      instance('vault', () => ({ log })),
    );
    expect(finding.evidence['log']).toBe('2\n3\n4');
  });

  it('is never without words', () => {
    for (const rule of RULES) expect([rule.means, rule.repairs].every((text) => text.length > 1)).toBe(true);
    expect(RULES.map(({ code }) => code)).toEqual(FINDING_CODES);
  });
});

describe('what has to be seen twice', () => {
  const flapping = changed(server('operational', { role: 'master', replica: undefined }));

  it('is asked for again', () => {
    expect(needsConfirmation(diagnose(flapping))).toBe(true);
    expect(needsConfirmation(diagnose(changed(ended('vault'))))).toBe(false);
  });

  it('is believed only when both looks say it of the same instance', () => {
    const codes = (first: EnvironmentFacts, second: EnvironmentFacts): readonly string[] =>
      confirmed(diagnose(first), diagnose(second)).map(({ finding }) => finding.code);
    expect(codes(flapping, flapping)).toEqual(['operational-not-replica']);
    expect(codes(flapping, healthy())).toEqual([]);
    expect(codes(healthy(), flapping)).toEqual([]);
    expect(codes(healthy(), changed(ended('vault')))).toEqual(['instance-stopped']);
    expect(codes(changed(unreachable('vault')), changed(unreachable('operational')))).toEqual([]);
  });
});
