/** From what is wrong to what will be done: one ordered list of actions under one id. Pure. */
import { createHash } from 'node:crypto';
import { instanceKey } from '../protocol/environment.js';
import { isLocker } from './desired.js';
import type { Action, Plan, PlannedAction } from './action.js';
import type { Diagnosis } from './diagnose.js';
import type { EnvironmentFacts } from './facts.js';
import type { FindingCode } from './finding.js';
import { whyNot } from './permitted.js';

const PLAN_ID_HEX_DIGITS = 12;

export interface Diagnosed {
  readonly facts: EnvironmentFacts;
  readonly diagnoses: readonly Diagnosis[];
}

/** @param licence codes that the command may repair; undefined: every fixable one. */
export function planRepairs(environments: readonly Diagnosed[], licence?: ReadonlySet<FindingCode>): Plan {
  const actions = lockerFirst(environments).flatMap(({ facts, diagnoses }) => {
    const wanted = diagnoses.flatMap(({ rule, finding }) => {
      const licensed = licence?.has(finding.code);
      if (licensed === false || !(finding.fixable || (licensed === true && rule.retriedByUp === true))) return [];
      const repair = rule.repair?.(finding.instance, facts) ?? [];
      if (repair.some((action) => whyNot(action, facts) !== undefined)) return [];
      return repair.map((action) => ({ action, because: finding.code }));
    });
    return ordered(withoutRedundant(wanted));
  });
  const planned = deduplicated(actions).map(({ action, because }): PlannedAction => ({
    action,
    because,
    summary: summarize(action),
  }));
  return { id: planned.length === 0 ? undefined : planId(planned), actions: planned };
}

/** Everybody's credentials are in it. */
function lockerFirst(environments: readonly Diagnosed[]): readonly Diagnosed[] {
  const isFirst = ({ facts }: Diagnosed): boolean => isLocker(facts.environment);
  return [...environments.filter(isFirst), ...environments.filter((one) => !isFirst(one))];
}

interface Wanted {
  readonly action: Action;
  readonly because: FindingCode;
}

function deduplicated(wanted: readonly Wanted[]): readonly Wanted[] {
  const seen = new Set<string>();
  return wanted.filter(({ action }) => {
    const key = JSON.stringify(action);
    return seen.has(key) ? false : seen.add(key).size > 0;
  });
}

/** A recreation starts afresh, so a restart or a runtime change of the same instance would be done twice. */
function withoutRedundant(wanted: readonly Wanted[]): readonly Wanted[] {
  const has = (kind: Action['kind'], key: string): boolean =>
    wanted.some(({ action }) => action.kind === kind && keyOf(action) === key);
  return deduplicated(wanted).filter(({ action }) => {
    const key = keyOf(action);
    const startsAfresh = has('recreate', key) || has('create', key);
    switch (action.kind) {
      case 'restart':
        return !startsAfresh;
      case 'load-users':
      case 'set-config':
        return !startsAfresh && !has('restart', key) && !has('start', key);
      case 'start':
        return !has('recreate', key) && !has('restart', key);
      case 'connect-network':
        return !startsAfresh;
      default:
        return true;
    }
  });
}

/** What must come before what, within one environment. */
const PHASES: readonly Action['kind'][] = [
  'create-network',
  'generate-credentials',
  'render',
  'connect-network',
  'create',
  'start',
  'restart',
  'recreate',
  'load-users',
  'set-config',
  'promote-vault',
  'rotate-credential',
  'attach',
  'wait-for-link',
];

/** Restarts go operational first: it is the one that may be without its vault for a moment, not the other way round. */
const OPERATIONAL_FIRST: ReadonlySet<Action['kind']> = new Set(['restart', 'recreate']);

function ordered(wanted: readonly Wanted[]): readonly Wanted[] {
  return [...wanted].sort((a, b) => {
    const phase = PHASES.indexOf(a.action.kind) - PHASES.indexOf(b.action.kind);
    if (phase !== 0) return phase;
    const vaultFirst = Number(keyOf(b.action).endsWith('/vault')) - Number(keyOf(a.action).endsWith('/vault'));
    return OPERATIONAL_FIRST.has(a.action.kind) ? -vaultFirst : vaultFirst;
  });
}

/** `track/vault`, `track` for what belongs to an environment, empty for what belongs to none. */
export function keyOf(action: Action): string {
  if ('on' in action) return instanceKey(action.on);
  return 'env' in action ? action.env : '';
}

/** The environment an action belongs to; empty for what all share. */
export function environmentOf(action: Action): string {
  if ('on' in action) return action.on.env;
  return 'env' in action ? action.env : '';
}

function summarize(action: Action): string {
  const key = keyOf(action);
  switch (action.kind) {
    case 'create-network':
      return 'create the network';
    case 'connect-network':
      return `connect ${key} to the network`;
    case 'generate-credentials':
      return `make sure that Locker holds the credentials of ${key}`;
    case 'rotate-credential':
      return `replace the ${action.name} credential of ${key}`;
    case 'render':
      return `render the configuration of ${key}`;
    case 'create':
      return `create ${key}`;
    case 'start':
      return `start ${key}`;
    case 'restart':
      return `restart ${key}`;
    case 'recreate':
      return `make ${key} again, keeping its folders`;
    case 'load-users':
      return `put the rendered users of ${key} in force`;
    case 'set-config':
      return `set ${action.name} of ${key} to ${action.value === '' ? '""' : action.value}`;
    case 'promote-vault':
      return `make ${key} a master again`;
    case 'attach':
      return `attach ${key} to its vault`;
    case 'wait-for-link':
      return `wait until ${key} has caught up`;
  }
}

function planId(actions: readonly PlannedAction[]): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(actions.map(({ action }) => action)))
    .digest('hex');
  return `p_${digest.slice(0, PLAN_ID_HEX_DIGITS)}`;
}
