/** The documents of docs/cli-json.md as tools give them back: the same fields, described for an agent. */
import { z } from 'zod';
import { CREDENTIAL_NAMES } from '../../protocol/users.js';

const list = <T extends z.ZodType>(item: T) => z.array(item).readonly();
const role = z.enum(['vault', 'operational']);

const FINDING = z.object({
  code: z.string().describe('What is wrong; docs/findings.md has each of them'),
  severity: z.enum(['error', 'warning', 'info']),
  instance: role,
  message: z.string(),
  evidence: z
    .record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))
    .readonly()
    .describe('What was measured'),
  remedy: z.string().describe('What to do now'),
  fixable: z.boolean().describe('A plan of plan_fix repairs it'),
  fixed: z.boolean().describe('This call repaired it, and measured that'),
});

const instance = {
  port: z.int(),
  state: z.enum(['missing', 'stopped', 'restarting', 'paused', 'unreachable', 'loading', 'locked', 'running', 'held']),
  role: z.enum(['master', 'replica']).nullable(),
  engineVersion: z.string().nullable(),
  moduleVersion: z.string().nullable(),
  keys: z.number().nullable(),
  memoryBytes: z.number().nullable(),
};

const ENVIRONMENT = z.object({
  name: z.string(),
  kind: z.enum(['standard', 'secure']),
  ok: z.boolean().describe('No finding of severity error'),
  vault: z.object({ ...instance, offset: z.number().nullable() }),
  operational: z
    .object({ ...instance, link: z.enum(['up', 'down']).nullable(), lagBytes: z.number().nullable() })
    .nullable()
    .describe('Null: a Secure Environment, a vault alone'),
  backup: z
    .object({
      newestAt: z.string().nullable(),
      verifiedAt: z.string().nullable(),
      window: z.object({ from: z.string(), to: z.string() }).nullable(),
    })
    .nullable(),
  findings: list(FINDING),
});

const ACTION = z.object({
  kind: z.string(),
  on: z.string().nullable().describe('track/operational; null: what all share'),
  summary: z.string(),
  because: z.string().describe('The code of the finding that it repairs'),
});

const failure = { code: z.string(), message: z.string(), hint: z.string() };
const FAILED_ACTION = z.object({ on: z.string().nullable(), action: z.string(), ...failure });

/** Of `status`, `check`, `plan_fix` and `apply_fix`. */
export const REPORT = {
  ok: z.boolean().describe('Of all environments that were looked at, not of this page alone'),
  checkedAt: z.string(),
  durationMs: z.number(),
  environments: list(ENVIRONMENT),
  plan: z
    .object({ id: z.string().nullable().describe('Null: there is nothing to do'), actions: list(ACTION) })
    .nullable(),
  applied: z.int().describe('Actions carried out; 0: nothing was changed'),
  failures: list(FAILED_ACTION).describe('Actions that did not work'),
  lockerError: z.object(failure).nullable().describe('Why Locker, which keeps all passwords, could not be asked'),
};

export const RECOVERED = {
  ok: z.literal(true),
  env: z.string(),
  instance: role,
  keys: z.number(),
  graphs: z.number(),
  steps: list(z.string()),
  keptAside: z.string().nullable(),
  durationMs: z.number(),
};

const ERROR = z.object({ ...failure, evidence: list(z.string()) });

const BACKUP = {
  id: z.string(),
  createdAt: z.string(),
  bytes: z.number(),
  sha256: z.string(),
  encrypted: z.boolean(),
  keys: z.number().nullable(),
  graphs: z.number().nullable(),
  verifiedAt: z.string().nullable(),
  loadMs: z.number().nullable(),
};

const CREATED_BACKUP = z.object({
  name: z.string(),
  ok: z.boolean(),
  backup: z.object(BACKUP).nullable(),
  durationMs: z.number().nullable(),
  archived: z.object({ files: z.number(), bytes: z.number() }).nullable(),
  comparedWithVault: z.boolean(),
  warnings: list(z.string()),
  error: ERROR.nullable(),
});

export const BACKUP_CREATED = {
  ok: z.boolean(),
  root: z.string(),
  durationMs: z.number(),
  environments: list(CREATED_BACKUP),
  pushed: z
    .object({
      repository: z.string(),
      ok: z.boolean(),
      snapshot: z.string().nullable(),
      bytesAdded: z.number().nullable(),
      error: ERROR.nullable(),
    })
    .nullable(),
};

const LISTED_BACKUP = z.object({
  id: z.string(),
  createdAt: z.string().nullable(),
  bytes: z.number().nullable(),
  sha256: z.string().nullable(),
  encrypted: z.boolean().nullable(),
  keys: z.number().nullable(),
  graphs: z.number().nullable(),
  verifiedAt: z.string().nullable(),
  loadMs: z.number().nullable(),
  keptFor: list(z.string()),
  wouldGo: z.boolean(),
  ofEarlierKey: z.boolean(),
  problem: ERROR.nullable().describe('Why it cannot be used'),
});

export const BACKUP_LISTED = {
  ok: z.boolean().describe('Each can be read and believed'),
  listedAt: z.string(),
  root: z.string(),
  environments: list(
    z.object({
      name: z.string(),
      windows: list(z.object({ from: z.string(), to: z.string() })).describe(
        'Any second of these can be restored; oldest first',
      ),
      backups: list(LISTED_BACKUP).describe('Newest first'),
      backupsTotal: z.int().describe('How many there are; backups has the newest of them'),
    }),
  ),
};

const RESTORED = z.object({
  env: z.string(),
  from: z.string(),
  source: z
    .discriminatedUnion('kind', [
      z.object({ kind: z.literal('backup'), env: z.string(), id: z.string(), createdAt: z.string() }),
      z.object({ kind: z.literal('history'), env: z.string(), at: z.string() }),
    ])
    .nullable(),
  outcome: z.enum(['planned', 'restored', 'put-back', 'skipped', 'failed']),
  resumed: z.boolean(),
  steps: list(z.string()).describe('What a person would have done by it, in order'),
  warnings: list(z.string()).describe('What would be lost'),
  keys: z.number().nullable(),
  graphs: z.number().nullable(),
  keptAside: z.string().nullable(),
  keptOperational: z.string().nullable(),
  writesStoppedMs: z.number().nullable(),
  durationMs: z.number(),
  error: ERROR.nullable(),
});

export const RESTORE_PLANNED = {
  ok: z.boolean(),
  dryRun: z.boolean().describe('True: nothing was changed'),
  plan: z.string(),
  environments: list(RESTORED),
  durationMs: z.number(),
};

const ROTATED = z.object({
  name: z.string(),
  outcome: z.enum(['planned', 'rotated', 'failed']),
  users: list(z.enum(CREDENTIAL_NAMES)),
  resumed: z.boolean(),
  notRotated: list(z.enum(CREDENTIAL_NAMES)),
  notRunning: list(z.string()),
  steps: list(z.string()),
  error: z.object(failure).nullable(),
});

export const ROTATION = {
  ok: z.boolean(),
  dryRun: z.boolean(),
  graceSeconds: z.number(),
  durationMs: z.number(),
  environments: list(ROTATED),
};
