/** From facts and findings to the report that people and scripts read. Pure. */
import type { Nexus3Error } from '../errors.js';
import { formatModuleVersion } from '../protocol/engine-record.js';
import { keysOf } from '../redis/observation.js';
import type { Plan } from './action.js';
import type { Failure } from './apply.js';
import { whereOf } from './apply.js';
import type { EnvironmentFacts, InstanceFacts } from './facts.js';
import { guardOf, lagBytes, serverOf } from './facts.js';
import type { Finding } from './finding.js';
import type { Look } from './loop.js';
import type { Diagnosed } from './plan.js';
import { environmentOf } from './plan.js';
import type {
  Report,
  ReportedEnvironment,
  ReportedFinding,
  ReportedPlan,
  ReportedState,
  ReportedVault,
} from './report.js';

export interface ReportParts {
  readonly after: Look;
  /** What was seen before the repairs, to say what they repaired. */
  readonly before?: Look;
  readonly plan?: Plan;
  readonly applied?: number;
  readonly failures?: readonly Failure[];
  readonly checkedAt: Date;
  readonly durationMs: number;
}

export function reportOf(parts: ReportParts): Report {
  const { after, before, plan } = parts;
  const failures = parts.failures ?? [];
  const environments = after.diagnosed.map((item) => environmentReport(item, repairedFindings(item, before, plan)));
  return {
    ok: environments.every(({ ok }) => ok) && failures.length === 0 && after.lockerError === undefined,
    checkedAt: parts.checkedAt.toISOString(),
    durationMs: Math.round(parts.durationMs),
    environments,
    plan: plan === undefined ? null : reportedPlan(plan),
    applied: parts.applied ?? 0,
    failures: failures.map((failure) => ({
      on: whereOf(failure.planned),
      action: failure.planned.action.kind,
      ...errorFields(failure.error),
    })),
    lockerError: after.lockerError === undefined ? null : errorFields(after.lockerError),
  };
}

function errorFields(error: Nexus3Error): { readonly code: string; readonly message: string; readonly hint: string } {
  const evidence = error.evidence.length === 0 ? '' : ` (${error.evidence.join('; ')})`;
  return { code: error.code, message: `${error.message}${evidence}`, hint: error.hint };
}

/** Those of an environment in which something was planned, and not seen any more: one action may repair several. */
function repairedFindings(item: Diagnosed, before: Look | undefined, plan: Plan | undefined): readonly Finding[] {
  const earlier = before?.diagnosed.find(({ facts }) => facts.environment.name === item.facts.environment.name);
  const isPlannedFor = plan?.actions.some(({ action }) => environmentOf(action) === item.facts.environment.name);
  if (isPlannedFor !== true) return [];
  const left = new Set(item.diagnoses.map(({ finding }) => `${finding.code} ${finding.instance}`));
  return (earlier?.diagnoses ?? [])
    .map(({ finding }) => finding)
    .filter(({ fixable, code, instance }) => fixable && !left.has(`${code} ${instance}`));
}

function environmentReport({ facts, diagnoses }: Diagnosed, repaired: readonly Finding[]): ReportedEnvironment {
  const left = diagnoses.map(({ finding }) => finding);
  return {
    name: facts.environment.name,
    kind: facts.environment.kind,
    ok: left.every(({ severity }) => severity !== 'error'),
    vault: vaultReport(facts),
    operational: operationalReport(facts),
    backup: backupReport(facts),
    findings: [
      ...left.map((finding) => reportedFinding(finding, false)),
      ...repaired.map((finding) => reportedFinding(finding, true)),
    ],
  };
}

function reportedFinding(finding: Finding, fixed: boolean): ReportedFinding {
  const { code, severity, instance, message, evidence, remedy, fixable } = finding;
  return { code, severity, instance, message, evidence, remedy, fixable, fixed };
}

function vaultReport(facts: EnvironmentFacts): ReportedVault {
  const common = instanceReport(facts.vault);
  const held = common.state !== 'running' && guardOf(facts).state === 'held';
  return { ...common, ...(held ? { state: 'held' as const } : {}), offset: serverOf(facts.vault)?.offset ?? null };
}

function operationalReport(facts: EnvironmentFacts): ReportedEnvironment['operational'] {
  if (facts.operational === undefined) return null;
  const link = serverOf(facts.operational)?.replica?.link ?? null;
  return { ...instanceReport(facts.operational), link, lagBytes: link === 'up' ? (lagBytes(facts) ?? null) : null };
}

function backupReport({ backup }: EnvironmentFacts): ReportedEnvironment['backup'] {
  if (backup === undefined || backup.unreadable !== undefined) return null;
  const { newest, verified, window } = backup;
  return {
    newestAt: newest?.at ?? null,
    verifiedAt: verified?.at ?? null,
    window: window === undefined ? null : { from: window.from, to: window.to },
  };
}

function instanceReport(instance: InstanceFacts): Omit<ReportedVault, 'offset'> {
  const server = serverOf(instance);
  const module = server?.engine.graphModule ?? 0;
  return {
    port: instance.spec.port,
    state: stateOf(instance),
    role: server?.role ?? null,
    engineVersion: server?.engine.version ?? null,
    moduleVersion: module === 0 ? null : formatModuleVersion(module),
    keys: server === undefined ? null : keysOf(server),
    memoryBytes: server?.memoryBytes ?? null,
  };
}

function stateOf({ runtime, view }: InstanceFacts): ReportedState {
  if (runtime === undefined) return 'missing';
  if (runtime.state === 'paused' || runtime.state === 'stopped' || runtime.state === 'restarting') return runtime.state;
  return view === undefined ? 'unreachable' : view.state === 'open' ? 'running' : view.state;
}

export function reportedPlan(plan: Plan): ReportedPlan {
  return {
    id: plan.id ?? null,
    actions: plan.actions.map((planned) => ({
      kind: planned.action.kind,
      on: whereOf(planned),
      summary: planned.summary,
      because: planned.because,
    })),
  };
}
