/** What a program imports. */
export type {
  ClientCounters,
  ClientEvents,
  ClientOptions,
  ClientState,
  CommandOutcome,
  ConnectOptions,
  EnvironmentClient,
  EnvironmentUrls,
  Graph,
  ReadsFrom,
  RedisClient,
  RedisCommandOptions,
  RouteEvent,
  RouteReason,
  SyncedOptions,
  VaultEvent,
} from './compose-client.js';
export { connect, ConstraintType, EntityType, RESP_TYPES } from './compose-client.js';
export type {
  Credential,
  CredentialCache,
  CredentialsOptions,
  GetOptions,
  InvalidateOptions,
} from './compose-credentials.js';
export { credentials, isWrongPassword } from './compose-credentials.js';
export type { Configuration, ConfiguredEnvironment } from './config/configuration.js';
export { compose } from './compose.js';
export type { ErrorCode, ExitCode } from './errors.js';
export { EXIT, Nexus3Error } from './errors.js';
export type { Progress } from './progress.js';
export { SILENT } from './progress.js';
export type { Environment, EnvironmentKind, InstanceId, Role } from './protocol/environment.js';
export { PROTOCOL_REGISTRY } from './protocol/registry.js';
export { Secret } from './protocol/secret.js';
export type { CredentialName } from './protocol/users.js';
export type { Finding, FindingCode, Severity } from './reconcile/finding.js';
export { FINDING_CODES } from './reconcile/finding.js';
export type { Report } from './reconcile/report.js';
export type { World } from './reconcile/world.js';
export { check } from './reconcile/check.js';
export { up } from './reconcile/up.js';
export { down } from './reconcile/down.js';
