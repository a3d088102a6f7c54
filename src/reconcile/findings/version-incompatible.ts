import type { EngineVersion } from '../../protocol/engine-record.js';
import { canRead, formatModuleVersion } from '../../protocol/engine-record.js';
import { ENGINE_EXIT } from '../../protocol/start-script.js';
import type { EnvironmentFacts, InstanceFacts } from '../facts.js';
import { endedWith, instanceIn, instancesIn, serverOf } from '../facts.js';
import { prepare, thenLinked } from './repairs.js';
import type { Rule, Sighting } from './rule.js';

export const versionIncompatible: Rule = {
  code: 'version-incompatible',
  severity: 'error',
  means:
    'This engine cannot read the data, or the operational cannot read its vault’s. An older replica wipes its own data before it finds out.',
  repairs: 'no; run the newer engine, operational first',
  see: (facts) => [
    ...instancesIn(facts)
      .filter((instance) => endedWith(instance, ENGINE_EXIT))
      .map(refusedAtStart),
    ...unreadablePair(facts),
  ],
  // Another engine may have been installed since; the start script asks again before it touches anything.
  retriedByUp: true,
  repair: (role, facts) =>
    endedWith(instanceIn(facts, role), ENGINE_EXIT)
      ? [...prepare(role, facts), { kind: 'start', on: instanceIn(facts, role).id }, ...thenLinked(facts)]
      : [],
};

function refusedAtStart(instance: InstanceFacts): Sighting {
  const writer = instance.folder.engine;
  return {
    instance: instance.id.role,
    message: 'held: another engine wrote these data, and this one cannot read them',
    evidence: { writtenBy: writer === undefined ? null : describe(writer) },
    remedy: writer === undefined ? 'Run the engine that wrote them' : `Run ${describe(writer)} or newer`,
    fixable: false,
  };
}

function unreadablePair(facts: EnvironmentFacts): readonly Sighting[] {
  const vault = serverOf(facts.vault)?.engine;
  const operational = serverOf(facts.operational)?.engine;
  if (vault === undefined || operational === undefined) return [];
  // A module that is absent altogether is `module-missing`.
  const sameModule = operational.graphModule === 0 ? { ...operational, graphModule: vault.graphModule } : operational;
  if (canRead(sameModule, vault)) return [];
  return [
    {
      instance: 'operational',
      message: `the operational (${describe(operational)}) cannot read what its vault (${describe(vault)}) sends`,
      evidence: { vault: describe(vault), operational: describe(operational) },
      remedy: `Run ${describe(vault)} or newer for the operational`,
      fixable: false,
    },
  ];
}

function describe({ kind, version, graphModule }: EngineVersion): string {
  const module = graphModule === 0 ? '' : ` with FalkorDB ${formatModuleVersion(graphModule)}`;
  return `${kind} ${version}${module}`;
}
