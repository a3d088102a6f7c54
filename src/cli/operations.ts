/**
 * What the command line is thin over, each loaded only when a command calls it: importing the Docker and Redis clients
 * takes longer than most commands run.
 */
import { fileURLToPath } from 'node:url';
import type { ServeControlOptions, ServeDataOptions } from '../compose-mcp.js';
import type { Audit } from '../locker/audit/audit.js';
import type { Credential } from '../client/credential.js';
import type { Configuration } from '../config/configuration.js';
import type { Overrides } from '../config/load.js';
import type { Surroundings } from '../config/locate.js';
import type { NewServerOptions, NewServerReport } from '../mcp/new/new-server.js';
import type { Progress } from '../progress.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Secret } from '../protocol/secret.js';
import type { CredentialName } from '../protocol/users.js';
import type { AsideDiscardOptions, AsideReport } from '../reconcile/aside.js';
import type { BackupCreateOptions, BackupCreateReport } from '../reconcile/backup/create.js';
import type { BackupListReport } from '../reconcile/backup/list.js';
import type { BackupPullReport, BackupPushReport } from '../reconcile/backup/off-machine.js';
import type { BackupPruneOptions, BackupPruneReport } from '../reconcile/backup/prune.js';
import type { BackupVerifyOptions, BackupVerifyReport } from '../reconcile/backup/verify.js';
import type { CheckOptions } from '../reconcile/check.js';
import type { CreateOptions, CreateReport } from '../reconcile/create.js';
import type { DownReport } from '../reconcile/down.js';
import type { ExportOptions, ExportReport } from '../reconcile/locker/kit-export.js';
import type { ImportOptions, ImportReport } from '../reconcile/locker/kit-import.js';
import type { RekeyReport } from '../reconcile/locker/rekey.js';
import type { ResetPreview, ResetReport } from '../reconcile/locker/reset.js';
import type { McpToken } from '../reconcile/mcp-token.js';
import type { RecoverOptions, RecoverPreview, RecoverReport } from '../reconcile/recover/recover.js';
import type { RestoreOptions, RestoreReport } from '../reconcile/restore/report.js';
import type { RestorePlan } from '../reconcile/restore/restore.js';
import type { RemoveReport } from '../reconcile/remove.js';
import type { Report } from '../reconcile/report.js';
import type { RotateOptions } from '../reconcile/rotate/choose.js';
import type { RotateReport } from '../reconcile/rotate/rotate.js';
import type { GrantOptions, GrantReport, ListedGrant, RevokeReport } from '../reconcile/tokens.js';
import type { UpOptions } from '../reconcile/up.js';
import type { World } from '../reconcile/world.js';
import type { Lockers } from '../locker/lockers.js';
import { readVersion } from './version.js';

/** A connection for a person at a prompt. */
export interface Session extends Disposable {
  /** The reply as text; one that begins with `(error) ` is an error reply. */
  send(args: readonly string[]): Promise<string>;
}

export interface FoundEngine {
  readonly strategy: string;
  readonly kind: string;
  readonly version: string;
  /** 41603 for 4.16.3; 0 without one. */
  readonly graphModule: number;
  readonly command: readonly string[];
  readonly modulePath: string | undefined;
}

export interface EngineStrategyReport {
  readonly strategy: string;
  readonly title: string;
  readonly engine: FoundEngine | undefined;
  readonly why: string | undefined;
  readonly chosen: boolean;
}

export interface Operations {
  compose(overrides: Overrides, progress: Progress, surroundings: Surroundings): Promise<World>;
  check(world: World, options: CheckOptions, progress: Progress): Promise<Report>;
  up(world: World, options: UpOptions, progress: Progress): Promise<Report>;
  down(world: World, options: { envs: readonly string[] }, progress: Progress): Promise<DownReport>;
  create(world: World, options: CreateOptions, progress: Progress): Promise<CreateReport>;
  remove(world: World, options: { name: string; deleteData: boolean }, progress: Progress): Promise<RemoveReport>;
  recover(world: World, options: RecoverOptions, progress: Progress): Promise<RecoverReport>;
  previewRecover(world: World, options: RecoverOptions): Promise<RecoverPreview>;
  previewRestore(world: World, options: RestoreOptions): Promise<RestorePlan>;
  dryRunRestore(world: World, options: RestoreOptions): Promise<RestoreReport>;
  restore(
    world: World,
    options: RestoreOptions & { readonly planId?: string | undefined },
    progress: Progress,
  ): Promise<RestoreReport>;
  listAside(world: World, envs: readonly string[]): Promise<AsideReport>;
  discardKept(world: World, options: AsideDiscardOptions, progress: Progress): Promise<AsideReport>;
  rotate(world: World, options: RotateOptions, progress: Progress): Promise<RotateReport>;
  createBackups(
    world: World,
    options: Omit<BackupCreateOptions, 'version'>,
    progress: Progress,
  ): Promise<BackupCreateReport>;
  verifyBackups(world: World, options: BackupVerifyOptions, progress: Progress): Promise<BackupVerifyReport>;
  listBackups(world: World, envs: readonly string[]): Promise<BackupListReport>;
  pruneBackups(world: World, options: BackupPruneOptions, progress: Progress): Promise<BackupPruneReport>;
  pushBackups(world: World, progress: Progress): Promise<BackupPushReport>;
  pullBackups(world: World, envs: readonly string[], progress: Progress): Promise<BackupPullReport>;
  rekey(world: World, progress: Progress): Promise<RekeyReport>;
  /** @throws KIT_EXISTS */
  admitExport(options: Pick<ExportOptions, 'file' | 'force'>): Promise<void>;
  exportKit(world: World, options: Omit<ExportOptions, 'version'>, progress: Progress): Promise<ExportReport>;
  /** @throws KIT_NOT_FOUND, KIT_FOREIGN */
  readKitFile(file: string): Promise<Buffer>;
  importKit(world: World, options: ImportOptions, progress: Progress): Promise<ImportReport>;
  previewReset(world: World): Promise<ResetPreview>;
  reset(world: World, progress: Progress): Promise<ResetReport>;
  getCredential(world: World, env: string, name: CredentialName): Promise<Secret>;
  audit(world: World): Promise<Audit>;
  /** @param token path of its file */
  getWithToken(token: string, env: string, name: CredentialName): Promise<Credential>;
  grantToken(world: World, options: GrantOptions, progress: Progress): Promise<GrantReport>;
  revokeTokens(world: World, which: string, progress: Progress): Promise<RevokeReport>;
  listGrants(world: World): Promise<readonly ListedGrant[]>;
  repairGrants(world: World, progress: Progress): Promise<readonly ListedGrant[]>;
  lockers(world: World): Promise<Lockers>;
  openSession(
    address: Address,
    credential: { readonly user: string; readonly password: Secret } | undefined,
  ): Promise<Session>;
  /** `mcp new`: reads the configuration alone, and asks no server. */
  newMcpServer(
    configuration: Configuration,
    options: NewServerOptions,
    surroundings: Surroundings,
  ): Promise<NewServerReport>;
  explainEngines(configuration: Configuration, surroundings: Surroundings): Promise<readonly EngineStrategyReport[]>;
  fetchEngine(
    configuration: Configuration,
    progress: Progress,
    surroundings: Surroundings,
  ): Promise<{ readonly engine: FoundEngine; readonly fetched: boolean }>;
  /** Both resolve when the server has ended. */
  serveMcpData(options: Omit<ServeDataOptions, 'version'>): Promise<void>;
  serveMcpControl(options: Omit<ServeControlOptions, 'version'>): Promise<void>;
  mcpToken(world: World, options: { readonly fresh: boolean }): Promise<McpToken>;
  /** Absolute: of node, and of the `nexus3` command. */
  programPaths(): { readonly node: string; readonly main: string };
}

export const OPERATIONS: Operations = {
  async compose(overrides, progress, surroundings) {
    return (await import('../compose.js')).compose(overrides, progress, surroundings);
  },
  async check(world, options, progress) {
    return (await import('../reconcile/check.js')).check(world, options, progress);
  },
  async up(world, options, progress) {
    return (await import('../reconcile/up.js')).up(world, options, progress);
  },
  async down(world, options, progress) {
    return (await import('../reconcile/down.js')).down(world, options, progress);
  },
  async create(world, options, progress) {
    return (await import('../reconcile/create.js')).create(world, options, progress);
  },
  async remove(world, options, progress) {
    return (await import('../reconcile/remove.js')).remove(world, options, progress);
  },
  async recover(world, options, progress) {
    return (await import('../reconcile/recover/recover.js')).recover(world, options, progress);
  },
  async previewRecover(world, options) {
    return (await import('../reconcile/recover/recover.js')).previewRecover(world, options);
  },
  async previewRestore(world, options) {
    return (await import('../reconcile/restore/restore.js')).previewRestore(world, options);
  },
  async dryRunRestore(world, options) {
    return (await import('../reconcile/restore/restore.js')).dryRunRestore(world, options);
  },
  async restore(world, options, progress) {
    return (await import('../reconcile/restore/restore.js')).restore(world, options, progress);
  },
  async listAside(world, envs) {
    return (await import('../reconcile/aside.js')).listAside(world, envs);
  },
  async discardKept(world, options, progress) {
    return (await import('../reconcile/aside.js')).discardKept(world, options, progress);
  },
  async rotate(world, options, progress) {
    return (await import('../reconcile/rotate/rotate.js')).rotate(world, options, progress);
  },
  async createBackups(world, options, progress) {
    const { createBackups } = await import('../reconcile/backup/create.js');
    return createBackups(world, { ...options, version: await readVersion() }, progress);
  },
  async verifyBackups(world, options, progress) {
    return (await import('../reconcile/backup/verify.js')).verifyBackups(world, options, progress);
  },
  async listBackups(world, envs) {
    return (await import('../reconcile/backup/list.js')).listBackups(world, envs);
  },
  async pruneBackups(world, options, progress) {
    return (await import('../reconcile/backup/prune.js')).pruneBackups(world, options, progress);
  },
  async pushBackups(world, progress) {
    return (await import('../reconcile/backup/off-machine.js')).pushBackups(world, progress);
  },
  async pullBackups(world, envs, progress) {
    return (await import('../reconcile/backup/off-machine.js')).pullBackups(world, envs, progress);
  },
  async rekey(world, progress) {
    return (await import('../reconcile/locker/rekey.js')).rekey(world, await readVersion(), progress);
  },
  async admitExport(options) {
    return (await import('../reconcile/locker/kit-export.js')).admitExport(options);
  },
  async exportKit(world, options, progress) {
    const { exportKit } = await import('../reconcile/locker/kit-export.js');
    return exportKit(world, { ...options, version: await readVersion() }, progress);
  },
  async readKitFile(file) {
    return (await import('../reconcile/locker/kit-import.js')).readKitFile(file);
  },
  async importKit(world, options, progress) {
    return (await import('../reconcile/locker/kit-import.js')).importKit(world, options, progress);
  },
  async previewReset(world) {
    return (await import('../reconcile/locker/reset.js')).previewReset(world);
  },
  async reset(world, progress) {
    return (await import('../reconcile/locker/reset.js')).reset(world, progress);
  },
  async getCredential(world, env, name) {
    return world.locker.getCredential(env, name);
  },
  async getWithToken(token, env, name) {
    const { credentials } = await import('../compose-credentials.js');
    await using helper = credentials({ token, attemptsMax: 1 });
    return await helper.get(env, { user: name });
  },
  async grantToken(world, options, progress) {
    return (await import('../reconcile/tokens.js')).grant(world, options, progress);
  },
  async revokeTokens(world, which, progress) {
    return (await import('../reconcile/tokens.js')).revoke(world, which, progress);
  },
  async listGrants(world) {
    return (await import('../reconcile/tokens.js')).listGrants(world);
  },
  async repairGrants(world, progress) {
    return (await import('../reconcile/tokens.js')).repairGrants(world, progress);
  },
  async audit(world) {
    return world.locker.audit();
  },
  async lockers(world) {
    return world.locker.lockers();
  },
  async openSession(address, credential) {
    return (await import('../compose.js')).openSession(address, credential);
  },
  async newMcpServer(configuration, options, surroundings) {
    return (await import('../mcp/new/new-server.js')).newServer(configuration, options, surroundings);
  },
  async explainEngines({ engine, module }, { env }) {
    return (await import('../compose.js')).explainEngines({ engine, module, env });
  },
  async fetchEngine({ engine, module }, progress, { env }) {
    return (await import('../compose.js')).fetchPrivateEngine({ engine, module, env }, progress);
  },
  async serveMcpData(options) {
    return (await import('../compose-mcp.js')).serveData({ ...options, version: await readVersion() });
  },
  async serveMcpControl(options) {
    return (await import('../compose-mcp.js')).serveControl({ ...options, version: await readVersion() });
  },
  async mcpToken(world, options) {
    const { mcpToken } = await import('../reconcile/mcp-token.js');
    return mcpToken(await world.locker.lockers(), world.clock.now(), options);
  },
  programPaths() {
    // From dist/cli, and as deep from dist/chunks.
    return { node: process.execPath, main: fileURLToPath(new URL('../cli/main.js', import.meta.url)) };
  },
};
