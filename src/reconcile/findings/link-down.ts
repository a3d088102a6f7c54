import { canRead } from '../../protocol/engine-record.js';
import type { EnvironmentFacts } from '../facts.js';
import { differsIn, isBetweenCopies, isFenced, isOwned, serverOf, servesAsMaster } from '../facts.js';
import { attach, loadUsers } from './repairs.js';
import type { Rule } from './rule.js';
import { versionIncompatible } from './version-incompatible.js';

export const linkDown: Rule = {
  code: 'link-down',
  severity: 'error',
  means: 'The operational knows its vault, the vault serves, but the replication link is down.',
  repairs: 'users and replication credential put in force, attached again, past the last-copy guard',
  confirm: true,
  see: (facts) => {
    const { operational } = facts;
    const replica = serverOf(operational)?.replica;
    if (operational === undefined || replica === undefined || replica.link === 'up' || replica.syncing) return [];
    // Where the vault does not serve, or the master is another, that finding says it.
    if (!servesAsMaster(facts) || !followsItsVault(facts) || isExplainedOtherwise(facts)) return [];
    return [
      {
        instance: 'operational',
        message: 'the replication link is down',
        evidence: { cause: causeOf(facts), downSeconds: replica.downSeconds ?? null },
        remedy: `nexus3 check ${facts.environment.name} --fix`,
        fixable: isOwned(operational) && isOwned(facts.vault),
      },
    ];
  },
  repair: (_role, facts) => [...loadUsers('vault', facts), ...attach(facts)],
};

function followsItsVault(facts: EnvironmentFacts): boolean {
  const master = serverOf(facts.operational)?.replica?.master;
  const wanted = facts.operational?.placement.vaultAddress;
  return master !== undefined && master.host === wanted?.host && master.port === wanted.port;
}

function isExplainedOtherwise(facts: EnvironmentFacts): boolean {
  return (
    facts.network === 'missing' ||
    isFenced(facts) ||
    isBetweenCopies(facts) ||
    [facts.vault, facts.operational].some(
      (instance) => differsIn(instance, 'network') || differsIn(instance, 'port'),
    ) ||
    versionIncompatible.see(facts).length > 0
  );
}

type LinkCause = 'auth' | 'name' | 'refused' | 'version' | 'module' | 'loading' | 'unknown';

function causeOf(facts: EnvironmentFacts): LinkCause {
  const vault = serverOf(facts.vault);
  const operational = serverOf(facts.operational);
  if (vault === undefined || operational === undefined) return 'unknown';
  if (operational.masterauthMatches === false || operational.masteruser !== 'replicator') return 'auth';
  if (facts.vault.userDifferences.some(({ user }) => user === 'replicator')) return 'auth';
  if (vault.engine.graphModule > 0 && operational.engine.graphModule === 0) return 'module';
  if (!canRead(operational.engine, vault.engine)) return 'version';
  if (vault.loading) return 'loading';
  return causeFromLog(facts.operational?.log ?? []);
}

/** The replica's own words (Redis source, replication.c); the newest line that says something wins. */
function causeFromLog(log: readonly string[]): LinkCause {
  for (const line of [...log].reverse()) {
    if (/WRONGPASS|NOAUTH|NOPERM|Unable to AUTH/i.test(line)) return 'auth';
    if (/resolution|resolve|not known/i.test(line)) return 'name';
    if (/refused|unreachable|timed? ?out/i.test(line)) return 'refused';
  }
  return 'unknown';
}
