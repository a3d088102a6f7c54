/** What a restore will do, in words, before anybody is asked: the steps, and what is lost by it. Pure. */
import { createHash } from 'node:crypto';
import type { Nexus3Error } from '../../errors.js';
import type { EnvironmentFacts } from '../facts.js';
import { guardOf, serverOf } from '../facts.js';
import { keysOf } from '../../redis/observation.js';
import { isLocker } from '../desired.js';
import type { Environment } from '../../protocol/environment.js';
import { keysIn } from './content.js';
import type { Way } from './one.js';
import { LOCKER_WARNINGS } from './open.js';
import { mayBeLastCopy } from './keep-operational.js';
import type { RestoredBefore } from './run.js';
import type { ChosenSource, RestoreSource } from './source.js';
import { sourceOf, wordsOf } from './source.js';

const PLAN_ID_HEX_DIGITS = 12;

export interface PlannedRestore {
  /** Into which it is restored. */
  readonly env: string;
  /** Whose backup or history it is. */
  readonly from: string;
  readonly way: Way | 'skip' | 'fail';
  /** Null: only known once the repository has been filled. */
  readonly source: RestoreSource | null;
  readonly steps: readonly string[];
  readonly warnings: readonly string[];
  /** Keys that the vault holds now; null: it cannot be asked, or there is none. */
  readonly keysNow: number | null;
  /** Keys that the source holds; null: nobody has counted them yet. */
  readonly keysThen: number | null;
  /** Why it will fail; the others of `--all` are restored all the same. */
  readonly error?: Nexus3Error;
}

/** `p_` and 12 hex digits: the same restores of the same sources, the same id. */
export function planIdOf(planned: readonly PlannedRestore[]): string {
  const what = planned.map(({ env, from, way, source }) => [env, from, way, source === null ? null : wordsOf(source)]);
  return `p_${createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, PLAN_ID_HEX_DIGITS)}`;
}

export interface PlanParts {
  readonly environment: Environment;
  /** Undefined: the environment is made for it. */
  readonly facts: EnvironmentFacts | undefined;
  readonly from: string;
  readonly chosen: ChosenSource;
}

export function planBegin({ environment, facts, from, chosen }: PlanParts): PlannedRestore {
  const isNew = facts === undefined;
  const source = sourceOf(from, chosen);
  const keysNow = keysNowOf(facts);
  const content = chosen.kind === 'backup' ? chosen.manifest.content : null;
  const keysThen = content === null ? null : keysIn(content);
  const isProven = chosen.kind === 'backup' && chosen.manifest.verification !== null;
  return {
    env: environment.name,
    from,
    way: 'begin',
    source,
    keysNow,
    keysThen,
    steps: [
      ...(isNew ? [`make the environment ${environment.name}, with passwords of its own`] : []),
      chosen.kind === 'backup'
        ? `read ${wordsOf(source)}, and prove that it is what was written`
        : `cut ${wordsOf(source)} out of the history (${chosen.plan.description})`,
      ...(isProven ? [] : ['load and count it in a server beside, while the vault still serves']),
      ...(isNew ? [] : ['stop the vault: from here on nobody can write']),
      ...(isNew ? [] : ['move what it holds aside, where it is kept, and put the restored data in its place']),
      'start the vault fenced: nobody but nexus3 may log in; load, count and compare',
      ...(environment.kind === 'standard'
        ? ['let applications in, and let the operational be refilled; until then it answers reads with what it has']
        : ['let applications in']),
      environment.kind === 'standard' ? 'write on the vault, read on the operational' : 'write and read',
    ],
    warnings: [
      ...chosen.warnings,
      ...(isNew ? [] : [lossOf(keysNow, source, keysThen)]),
      ...downtimeOf(chosen, isNew),
      ...(facts !== undefined && mayBeLastCopy(facts)
        ? [`The vault does not serve, and its operational holds data: a snapshot of those is kept.`]
        : []),
      ...(facts !== undefined && guardOf(facts).state === 'held'
        ? ['The last-copy guard holds the vault: what its folder has is kept.']
        : []),
      ...(isLocker(environment) ? LOCKER_WARNINGS : []),
    ],
  };
}

function lossOf(keysNow: number | null, source: RestoreSource, keysThen: number | null): string {
  const now = keysNow === null ? 'What the vault holds now' : `The vault holds ${keysAs(keysNow)} now; that`;
  const then = source.kind === 'backup' ? `a backup of ${source.createdAt}` : `what it held at ${source.at}`;
  const count = keysThen === null ? '' : `, which holds ${keysAs(keysThen)}`;
  return `${now} is replaced by ${then}${count}. It is kept aside.`;
}

function keysAs(count: number): string {
  return count === 1 ? '1 key' : `${String(count)} keys`;
}

function downtimeOf(chosen: ChosenSource, isNew: boolean): readonly string[] {
  if (isNew || chosen.kind === 'history' || chosen.manifest.verification === null) return [];
  const seconds = Math.max(1, Math.ceil(chosen.manifest.verification.loadMs / 1_000));
  return [`Nobody can write meanwhile: for about ${String(seconds)} s.`];
}

const RESUMED_STEPS: Readonly<Record<Exclude<Way, 'begin'>, readonly string[]>> = {
  'go-on': [
    'go on with the restore that was cut off: put the restored data in their place, and prove them',
    'let applications in, and let the operational be refilled',
  ],
  finish: ['the restored data are proven: let applications in, and let the operational be refilled'],
  'put-back': ['discard the restored data, and put the old ones back', 'start the vault, and prove that it serves'],
  'put-back-then-begin': ['discard what an earlier restore has left, and put the old data back', 'then restore anew'],
};

export function planResumed(env: string, source: RestoreSource, way: Exclude<Way, 'begin'>): PlannedRestore {
  const steps = RESUMED_STEPS[way];
  return { env, from: source.env, way, source, steps, warnings: [], keysNow: null, keysThen: null };
}

/** There is no backup of it. */
export function planSkipped(env: string, why: string): PlannedRestore {
  return { env, from: env, way: 'skip', source: null, steps: [], warnings: [why], keysNow: null, keysThen: null };
}

/** It was restored already. */
export function planBefore(facts: EnvironmentFacts, before: RestoredBefore): PlannedRestore {
  const { name } = facts.environment;
  const warnings = beforeWarnings(facts, before);
  const nothing = { steps: [], keysNow: keysNowOf(facts), keysThen: null };
  return { env: name, from: name, way: 'skip', source: before.source, warnings, ...nothing };
}

/** `--all` leaves it as it is, and says how it is restored again. */
export function beforeWarnings(
  facts: EnvironmentFacts,
  { by, source, restoredAt, keys }: RestoredBefore,
): readonly string[] {
  const { name } = facts.environment;
  const keysNow = keysNowOf(facts);
  const then = keys === null ? '' : `, with ${keysAs(keys)}`;
  const now = keysNow === null ? '' : ` (it holds ${keysAs(keysNow)} now)`;
  return [
    by === 'all'
      ? `This run of --all, which was cut off, restored it at ${restoredAt}${then}${now}: it is not restored once more. To do so: nexus3 restore ${name}`
      : `It was restored by name since, at ${restoredAt} (${wordsOf(source)})${then}${now}: it is not restored over. To do so: nexus3 restore ${name}`,
    ...(keysNow === 0 && keys !== null && keys > 0
      ? [`It holds nothing any more of what it was restored with. To restore it again: nexus3 restore ${name}`]
      : []),
  ];
}

function keysNowOf(facts: EnvironmentFacts | undefined): number | null {
  const server = serverOf(facts?.vault);
  return server === undefined ? null : keysOf(server);
}

export function planFailed(env: string, error: Nexus3Error): PlannedRestore {
  const warnings = [`It will fail: ${error.message} ${error.hint}`];
  return { env, from: env, way: 'fail', source: null, steps: [], warnings, keysNow: null, keysThen: null, error };
}
