/** What holds of every diagnosis and every plan, whatever is observed. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyFacts, factsOf, maybe } from '../../test/support/any-facts.js';
import { configurationOf, environmentOf, healthy, LOCKER, TRACK, USER } from '../../test/support/facts.js';
import { instanceKey } from '../protocol/environment.js';
import type { Action, PlannedAction } from './action.js';
import { selectEnvironments } from './desired.js';
import { diagnose } from './diagnose.js';
import type { EnvironmentFacts } from './facts.js';
import { isBetweenCopies, isFenced, isForeign, isHeld } from './facts.js';
import type { FindingCode } from './finding.js';
import { FINDING_CODES } from './finding.js';
import type { Diagnosed } from './plan.js';
import { environmentOf as ownerOf, keyOf, planRepairs } from './plan.js';
import { volatileSettings } from './volatile.js';

const licences = maybe(fc.uniqueArray(fc.constantFrom(...FINDING_CODES)).map((codes) => new Set<FindingCode>(codes)));
const diagnosed = (facts: EnvironmentFacts): Diagnosed => ({ facts, diagnoses: diagnose(facts) });

/** Every plan that any command could make of these facts. */
function forEveryPlan(holds: (facts: EnvironmentFacts, actions: readonly PlannedAction[]) => void): void {
  fc.assert(
    fc.property(anyFacts, licences, (facts, licence) => {
      holds(facts, planRepairs([diagnosed(facts)], licence).actions);
    }),
    { numRuns: 600 },
  );
}

const roleOf = (action: Action): string => ('on' in action ? action.on.role : '');
const doesTo = (actions: readonly PlannedAction[], role: string, ...kinds: readonly Action['kind'][]): boolean =>
  actions.some(({ action }) => roleOf(action) === role && kinds.includes(action.kind));

describe('whatever is observed', () => {
  it('every rule comes to a conclusion, in words', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        for (const { finding } of diagnose(facts)) {
          expect(finding.message).not.toMatch(/undefined|\[object|NaN/);
          expect(finding.remedy.length).toBeGreaterThan(3);
          expect(finding.env).toBe(facts.environment.name);
          if (facts.operational === undefined) expect(finding.instance).toBe('vault');
        }
      }),
      { numRuns: 600 },
    );
  });

  it('the same is said once of an instance', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const said = diagnose(facts).map(({ finding }) => `${finding.code} ${finding.instance}`);
        expect(new Set(said).size).toBe(said.length);
      }),
    );
  });

  it('what is said to be fixable has a repair, and nothing else is planned', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const diagnoses = diagnose(facts);
        for (const { finding, rule } of diagnoses) {
          if (finding.fixable) expect(rule.repair?.(finding.instance, facts), finding.code).not.toEqual([]);
        }
        const fixable = new Set(diagnoses.filter(({ finding }) => finding.fixable).map(({ finding }) => finding.code));
        for (const { because } of planRepairs([diagnosed(facts)]).actions) expect(fixable).toContain(because);
      }),
      { numRuns: 600 },
    );
  });

  it('a licence only ever takes away; `up` alone may try again what may not help', () => {
    fc.assert(
      fc.property(anyFacts, licences, (facts, licence) => {
        const retried = diagnose(facts).filter(({ rule }) => rule.retriedByUp === true);
        for (const { because } of planRepairs([diagnosed(facts)], licence).actions) {
          if (licence !== undefined) expect(licence).toContain(because);
          const isFixable = diagnose(facts).some(({ finding }) => finding.code === because && finding.fixable);
          expect(isFixable || retried.some(({ finding }) => finding.code === because)).toBe(true);
        }
      }),
    );
  });
});

describe('no plan', () => {
  it('touches what a stranger made, nor tells a stranger a password', () => {
    forEveryPlan((facts, actions) => {
      const strangers = [facts.vault, facts.operational].filter((one) => one !== undefined && isForeign(one));
      for (const stranger of strangers) {
        expect(actions.map(({ action }) => keyOf(action))).not.toContain(instanceKey(stranger?.id ?? facts.vault.id));
      }
      if (strangers.length === 0) return;
      const kinds = actions.map(({ action }) => action.kind);
      for (const kind of ['attach', 'wait-for-link', 'rotate-credential']) expect(kinds).not.toContain(kind);
    });
  });

  it('touches a vault of which two copies lie here, nor binds its operational to one', () => {
    let between = 0;
    forEveryPlan((facts, actions) => {
      if (!isBetweenCopies(facts)) return;
      between += 1;
      expect(actions.filter(({ action }) => roleOf(action) === 'vault')).toEqual([]);
      expect(doesTo(actions, 'operational', 'attach', 'wait-for-link')).toBe(false);
      expect(actions.filter(({ action }) => action.kind === 'rotate-credential')).toEqual([]);
    });
    expect(between).toBeGreaterThan(20);
  });

  it('starts, makes, promotes or follows a vault that the guard holds', () => {
    let heldOnes = 0;
    forEveryPlan((facts, actions) => {
      if (!isHeld(facts)) return;
      heldOnes += 1;
      expect(doesTo(actions, 'vault', 'create', 'start', 'restart', 'recreate', 'promote-vault')).toBe(false);
      expect(doesTo(actions, 'operational', 'attach', 'wait-for-link')).toBe(false);
    });
    expect(heldOnes).toBeGreaterThan(50);
  });

  it('follows a vault that a recovery has not proven', () => {
    forEveryPlan((facts, actions) => {
      if (isFenced(facts)) expect(doesTo(actions, 'operational', 'attach')).toBe(false);
    });
  });

  it('makes a vault again on another image, or whose data lie elsewhere', () => {
    forEveryPlan((facts, actions) => {
      const differences = facts.vault.runtime?.differences ?? [];
      if (!differences.some(({ aspect }) => aspect === 'mount' || aspect === 'image')) return;
      expect(doesTo(actions, 'vault', 'recreate')).toBe(false);
    });
  });

  it('does a thing twice, or what another of its actions does anyway', () => {
    forEveryPlan((_, actions) => {
      const texts = actions.map(({ action }) => JSON.stringify(action));
      expect(new Set(texts).size).toBe(texts.length);
      for (const role of ['vault', 'operational']) {
        const afresh = ['create', 'start', 'restart', 'recreate'] as const;
        const begins = afresh.filter((kind) => doesTo(actions, role, kind));
        expect([[], ['create', 'start'], ...afresh.map((kind) => [kind])]).toContainEqual(begins);
        if (begins.length > 0) expect(doesTo(actions, role, 'load-users', 'set-config')).toBe(false);
      }
    });
  });

  it('holds a secret', () => {
    forEveryPlan((_, actions) => {
      for (const { action } of actions) {
        if (action.kind === 'set-config') expect(action.name).not.toMatch(/auth|pass/);
      }
    });
  });
});

describe('the order of a plan', () => {
  /** Each action of the first kind comes before each of the second. */
  function inOrder(actions: readonly PlannedAction[], before: Action['kind'], after: Action['kind']): void {
    const kinds = actions.map(({ action }) => action.kind);
    if (kinds.includes(after))
      expect(kinds.lastIndexOf(before), `${before} before ${after}`).toBeLessThan(kinds.indexOf(after));
  }

  it('begins with what everything else needs, and ends with what has to be proven', () => {
    forEveryPlan((_, actions) => {
      inOrder(actions, 'create-network', 'create');
      inOrder(actions, 'generate-credentials', 'render');
      for (const begin of ['create', 'start', 'restart', 'recreate', 'load-users'] as const) {
        inOrder(actions, 'render', begin);
        inOrder(actions, begin, 'attach');
        inOrder(actions, begin, 'wait-for-link');
      }
      inOrder(actions, 'create', 'start');
      inOrder(actions, 'promote-vault', 'attach');
      inOrder(actions, 'rotate-credential', 'attach');
      inOrder(actions, 'attach', 'wait-for-link');
    });
  });

  it('takes the vault first, but restarts the operational first', () => {
    forEveryPlan((_, actions) => {
      for (const kind of ['render', 'create', 'start', 'restart', 'recreate', 'load-users'] as const) {
        const roles = actions.filter(({ action }) => action.kind === kind).map(({ action }) => roleOf(action));
        if (roles.length < 2) continue;
        const operationalFirst = kind === 'restart' || kind === 'recreate';
        expect(roles).toEqual(operationalFirst ? ['operational', 'vault'] : ['vault', 'operational']);
      }
    });
  });

  it('takes Locker first, whatever the order of the environments', () => {
    fc.assert(
      fc.property(factsOf(TRACK), factsOf(USER), factsOf(LOCKER), (track, user, locker) => {
        const names = planRepairs([track, user, locker].map(diagnosed)).actions.map(({ action }) => ownerOf(action));
        const first = names.filter((name) => name !== '');
        if (first.includes('locker')) expect(first[0]).toBe('locker');
        expect(first).toEqual(['locker', 'track', 'user'].flatMap((name) => first.filter((other) => other === name)));
      }),
    );
  });
});

describe('the id of a plan', () => {
  it('is that of its actions alone: the same facts in the same order give the same', () => {
    fc.assert(
      fc.property(anyFacts, (facts) => {
        const [one, other] = [planRepairs([diagnosed(facts)]), planRepairs([diagnosed({ ...facts })])];
        expect(one).toEqual(other);
        expect(one.id === undefined).toBe(one.actions.length === 0);
        if (one.id !== undefined) expect(one.id).toMatch(/^p_[0-9a-f]{12}$/);
      }),
    );
  });

  it('differs where the actions do', () => {
    fc.assert(
      fc.property(factsOf(), factsOf(), (left, right) => {
        const [one, other] = [planRepairs([diagnosed(left)]), planRepairs([diagnosed(right)])];
        const actionsOf = (plan: typeof one): string => JSON.stringify(plan.actions.map(({ action }) => action));
        expect(one.id === other.id).toBe(actionsOf(one) === actionsOf(other));
      }),
    );
  });

  it('does not depend on the order in which environments were named', () => {
    const configuration = configurationOf();
    const names = configuration.environments.map(({ name }) => name);
    fc.assert(
      fc.property(fc.shuffledSubarray(names, { minLength: 1 }), (some) => {
        const chosen = selectEnvironments(configuration, some).map(({ name }) => name);
        expect(chosen).toEqual(names.filter((name) => some.includes(name)));
      }),
    );
  });
});

describe('volatile settings', () => {
  it('are those that differ and have no finding of their own', () => {
    const facts = healthy(environmentOf('notes', 6650, 'standard'));
    expect(volatileSettings(facts, facts.vault)).toEqual([]);
    fc.assert(
      fc.property(factsOf(), (some) => {
        for (const { name, value, actual } of volatileSettings(some, some.vault)) {
          expect(['maxmemory-policy', 'appendonly']).not.toContain(name);
          expect(actual).not.toBe(value);
        }
      }),
    );
  });
});
