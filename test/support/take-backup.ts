/** Backups of real vaults for tests of what restores them: as `backup create` makes them, with what a test wants of them. */
import type { Manifest } from '../../src/backup/backups.js';
import type { EngineVersion } from '../../src/protocol/engine-record.js';
import { adminOf, credentialsOf, hostAddress } from '../../src/reconcile/access.js';
import { selectEnvironments, specOf } from '../../src/reconcile/desired.js';
import type { ContentCounts } from '../../src/redis/observation.js';
import type { Nexus } from './nexus.js';

export interface TakeOptions {
  /** Counted on the vault itself, and said to have been loaded by somebody. */
  readonly verified?: boolean;
  /** Of the manifest: it lies, with a right MAC. */
  readonly lie?: (content: ContentCounts) => ContentCounts;
  /** Said to have written it. */
  readonly engine?: EngineVersion;
  /** Of what flows from the vault. */
  readonly change?: (snapshot: Buffer) => Buffer;
}

const ENGINE = { kind: 'redis', version: '8.2.3', graphModule: 41_603 } as const;

export async function takeBackup(nexus: Nexus, env: string, options: TakeOptions = {}): Promise<Manifest> {
  await using world = await nexus.world();
  await world.runtime.ready();
  const [environment] = selectEnvironments(world.configuration, [env]);
  if (environment === undefined) throw new Error(`no ${env}`);
  const credentials = await credentialsOf(world, environment);
  await using _lock = await world.backups.acquire('backup create', () => undefined);
  const address = hostAddress(specOf(world.configuration, environment, 'vault'));
  const createdAt = new Date();
  const { replication, snapshot } = await snapshotOf();
  const { change } = options;
  const made = await world.backups.write(
    { env, kind: environment.kind, version: '0.1.0', engine: options.engine ?? ENGINE, replication, createdAt },
    chunks(change === undefined ? snapshot : change(snapshot)),
  );
  if (options.verified === false) return made;
  await using admin = await adminOf(world, environment, 'vault', credentials);
  const content = await admin.countContent();
  const verifiedAt = new Date().toISOString();
  return await world.backups.record(made, {
    content: options.lie === undefined ? content : options.lie(content),
    verification: { verifiedAt, loadMs: 40, runtime: world.runtime.name, engine: ENGINE },
  });

  async function snapshotOf(): Promise<{ replication: Manifest['replication']; snapshot: Buffer }> {
    await using stream = await world.servers.snapshot(address, credentials.backup);
    const parts: Buffer[] = [];
    for await (const chunk of stream.chunks) parts.push(chunk);
    return { replication: stream.replication, snapshot: Buffer.concat(parts) };
  }
}

async function* chunks(whole: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(whole);
}
