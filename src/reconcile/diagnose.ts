/** From what was observed to what is wrong. Pure, and without a clock: confirming is the loop's business. */
import type { EnvironmentFacts } from './facts.js';
import { whyNot } from './permitted.js';
import type { Finding } from './finding.js';
import { RULES } from './findings/index.js';
import type { Rule, Sighting } from './findings/rule.js';

export interface Diagnosis {
  readonly finding: Finding;
  readonly rule: Rule;
}

export function diagnose(facts: EnvironmentFacts, rules: readonly Rule[] = RULES): readonly Diagnosis[] {
  return rules.flatMap((rule) =>
    rule.see(facts).map((sighting) => {
      const obstacle = sighting.fixable ? obstacleTo(rule, sighting, facts) : undefined;
      return {
        rule,
        finding: {
          code: rule.code,
          severity: rule.severity,
          env: facts.environment.name,
          instance: sighting.instance,
          message: sighting.message,
          evidence: sighting.evidence ?? {},
          remedy: obstacle ?? sighting.remedy,
          fixable: sighting.fixable && obstacle === undefined,
        },
      };
    }),
  );
}

/** A repair is done whole or not at all. */
function obstacleTo(rule: Rule, { instance }: Sighting, facts: EnvironmentFacts): string | undefined {
  return (rule.repair?.(instance, facts) ?? [])
    .map((action) => whyNot(action, facts))
    .find((reason) => reason !== undefined);
}

/** True where what was seen has to be seen a second time before it is believed. */
export function needsConfirmation(diagnoses: readonly Diagnosis[]): boolean {
  return diagnoses.some(({ rule }) => rule.confirm === true);
}

/** Of the second look, what needs no confirmation or was seen at the first one, too. */
export function confirmed(first: readonly Diagnosis[], second: readonly Diagnosis[]): readonly Diagnosis[] {
  const seen = new Set(first.map(({ finding }) => `${finding.code} ${finding.instance}`));
  return second.filter(({ rule, finding }) => rule.confirm !== true || seen.has(`${finding.code} ${finding.instance}`));
}
