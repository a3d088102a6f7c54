/** Reports as the operations make them, for tests of what is printed. */
import type {
  Report,
  ReportedBackup,
  ReportedEnvironment,
  ReportedFinding,
  ReportedOperational,
  ReportedVault,
} from '../../src/reconcile/report.js';

export function vault(port: number, parts: Partial<ReportedVault> = {}): ReportedVault {
  return {
    port,
    state: 'running',
    role: 'master',
    engineVersion: '8.2.3',
    moduleVersion: '4.16.3',
    keys: 12,
    memoryBytes: 1_258_291,
    offset: 4_711,
    ...parts,
  };
}

export function operational(port: number, parts: Partial<ReportedOperational> = {}): ReportedOperational {
  return {
    port,
    state: 'running',
    role: 'replica',
    engineVersion: '8.2.3',
    moduleVersion: '4.16.3',
    link: 'up',
    lagBytes: 0,
    keys: 12,
    memoryBytes: 1_048_576,
    ...parts,
  };
}

export function finding(parts: Partial<ReportedFinding> & Pick<ReportedFinding, 'code'>): ReportedFinding {
  return {
    severity: 'error',
    instance: 'operational',
    message: 'something is wrong',
    evidence: {},
    remedy: 'nexus3 check track --fix',
    fixable: true,
    fixed: false,
    ...parts,
  };
}

export function standard(name: string, port: number, parts: Partial<ReportedEnvironment> = {}): ReportedEnvironment {
  const findings = parts.findings ?? [];
  return {
    name,
    kind: 'standard',
    ok: findings.every(({ severity, fixed }) => severity !== 'error' || fixed),
    vault: vault(port),
    operational: operational(port + 1),
    backup: null,
    findings,
    ...parts,
  };
}

export function secure(name: string, port: number, parts: Partial<ReportedEnvironment> = {}): ReportedEnvironment {
  return { ...standard(name, port, parts), kind: 'secure', operational: null };
}

export function report(environments: readonly ReportedEnvironment[], parts: Partial<Report> = {}): Report {
  return {
    ok: environments.every(({ ok }) => ok),
    checkedAt: '2026-01-08T12:00:00.000Z',
    durationMs: 41,
    environments,
    plan: null,
    applied: 0,
    failures: [],
    lockerError: null,
    ...parts,
  };
}

const UNPINNED = {
  code: 'image-unpinned',
  severity: 'info',
  message: 'the image falkordb/falkordb:latest names no version',
  evidence: { image: 'falkordb/falkordb:latest' },
  remedy: 'Name a version or a digest as image: in nexus3.yaml',
  fixable: false,
} as const;

const BACKED_UP: ReportedBackup = {
  newestAt: '2026-01-08T03:00:04.000Z',
  verifiedAt: '2026-01-08T03:00:09.000Z',
  window: { from: '2026-01-05T22:10:00Z', to: '2026-01-08T12:00:00Z' },
};

const NEVER_BACKED_UP: ReportedBackup = { newestAt: null, verifiedAt: null, window: null };

/** A host with a bit of everything on it. */
export const MIXED: Report = report([
  secure('user', 6610, { backup: NEVER_BACKED_UP, findings: [finding({ ...UNPINNED, instance: 'vault' })] }),
  standard('context', 6620, {
    backup: { ...BACKED_UP, window: { from: '2026-01-05T22:10:00Z', to: '2026-01-08T07:00:00Z' } },
    findings: [finding({ ...UNPINNED, instance: 'vault' }), finding({ ...UNPINNED, instance: 'operational' })],
  }),
  standard('track', 6640, {
    operational: operational(6641, { link: 'down', lagBytes: null, keys: 11 }),
    backup: BACKED_UP,
    findings: [
      finding({
        code: 'port-exposed',
        severity: 'warning',
        instance: 'vault',
        message: 'the port is published on 0.0.0.0',
        evidence: { address: '0.0.0.0' },
        remedy: 'Set bind: 127.0.0.1 in nexus3.yaml, or let a firewall decide who reaches it',
        fixable: false,
      }),
      finding({
        code: 'link-down',
        message: 'the replication link is down',
        evidence: { cause: 'auth', downSeconds: 12 },
      }),
    ],
  }),
  standard('session', 6645, {
    vault: vault(6645, { state: 'held', role: null, keys: null, memoryBytes: null, offset: null }),
    operational: operational(6646, { link: 'down', lagBytes: null, keys: 1_234_567, memoryBytes: 734_003_200 }),
    findings: [
      finding({
        code: 'vault-empty',
        instance: 'vault',
        message: 'the vault’s data are gone: the append-only file is not there',
        evidence: { cause: 'aof-missing' },
        remedy: 'nexus3 recover session --vault',
        fixable: false,
      }),
    ],
  }),
  standard('transcripts', 6660, {
    vault: vault(6660, { state: 'missing', role: null, keys: null, memoryBytes: null, offset: null }),
    operational: operational(6661, {
      state: 'stopped',
      role: null,
      link: null,
      lagBytes: null,
      keys: null,
      memoryBytes: null,
    }),
    findings: [
      finding({
        code: 'instance-missing',
        instance: 'vault',
        message: 'there is no instance',
        remedy: 'nexus3 up transcripts',
      }),
      finding({
        code: 'instance-stopped',
        message: 'the instance is stopped',
        evidence: { exitCode: 137 },
        remedy: 'nexus3 up transcripts',
      }),
    ],
  }),
  secure('locker', 6720),
]);

export const WELL: Report = report([secure('user', 6610), standard('track', 6640), secure('locker', 6720)]);
