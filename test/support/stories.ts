/** How findings are told: found, planned, repaired, proven; or found and left as it is. Of the environment `track`. */
import { expect } from 'vitest';
import type { Report } from '../../src/reconcile/report.js';
import type { Nexus } from './nexus.js';
import { codesOf } from './nexus.js';

export interface Stories {
  /** The story that all repairable findings share. @param actions sentences that the plan must hold */
  readonly foundAndFixed: (expected: readonly string[], ...actions: readonly string[]) => Promise<void>;
  /** For what `--fix` must not touch: it says so, exits 1, and leaves everything as it is. */
  readonly foundAndLeft: (expected: readonly string[]) => Promise<Report>;
  readonly isHealthyWithItsData: () => Promise<void>;
  readonly nothingLeftToDo: () => Promise<void>;
}

/** The vault holds `value` under `kept`. */
export function storiesOf(current: () => Nexus): Stories {
  const stories: Stories = {
    async foundAndFixed(expected, ...actions) {
      const nexus = current();
      const seen = await nexus.report(1, 'check', 'track');
      expect(codesOf(seen, 'track')).toEqual([...expected].toSorted());

      const planned = await nexus.report(1, 'check', 'track', '--fix', '--dry-run');
      expect(planned.plan?.id).toMatch(/^p_[0-9a-f]{12}$/);
      expect(planned.plan?.actions.map(({ summary }) => summary)).toEqual(expect.arrayContaining([...actions]));
      expect(planned.applied).toBe(0);
      expect(await nexus.findings('track'), 'a dry run changes nothing').toEqual([...expected].toSorted());

      const fixed = await nexus.report(0, 'check', 'track', '--fix');
      expect(fixed.applied).toBeGreaterThan(0);
      expect(fixed.environments[0]?.findings.filter((finding) => finding.fixed).map(({ code }) => code)).toEqual(
        expect.arrayContaining(expected.map((line) => line.split(' ')[0])),
      );
      await stories.isHealthyWithItsData();
      await stories.nothingLeftToDo();
    },

    async foundAndLeft(expected) {
      const nexus = current();
      expect(await nexus.findings('track')).toEqual([...expected].toSorted());
      const left = await nexus.report(1, 'check', 'track', '--fix');
      expect(codesOf(left, 'track')).toEqual([...expected].toSorted());
      expect(left.applied).toBe(0);
      return left;
    },

    async isHealthyWithItsData() {
      const nexus = current();
      expect(await nexus.findings('track')).toEqual([]);
      expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
    },

    async nothingLeftToDo() {
      const again = await current().report(0, 'check', 'track', '--fix');
      expect(again.plan).toEqual({ id: null, actions: [] });
      expect(again.applied).toBe(0);
    },
  };
  return stories;
}
