/** The repository of backups, as files: what the rest of nexus3 is handed. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { BackupPolicy, Retention } from '../config/configuration.js';
import { Nexus3Error, writeFailure } from '../errors.js';
import { LOCKER_NAME } from '../protocol/environment.js';
import { backupId } from './backup-id.js';
import type { KnownSecrets } from './backup-secret.js';
import type {
  BackupId,
  BackupKeys,
  Backups,
  DatedLater,
  FileOwner,
  History,
  LatestBackups,
  ListedBackup,
  Manifest,
  NewBackup,
  OnBytes,
  PushNote,
  RetentionPlan,
  Target,
  VerificationFailure,
} from './backups.js';
import { MANIFEST_SCHEMA } from './backups.js';
import { type BackupPlace, damaged, failedVerification, invalid, notFound } from './faults.js';
import { Unreadable } from './hashed-file.js';
import { ArchiveFolder } from './history/archive-folder.js';
import { reachOf } from './history/archive-index.js';
import { StoredHistory } from './history/history.js';
import { iso } from './history/seconds.js';
import { type BelievedManifest, parseManifest, renderManifest } from './manifest.js';
import { isInFuture, newestFirst } from './order.js';
import { StoredPushNote } from './push-note.js';
import { Repository } from './repository.js';
import type { Passwords } from './restic/session.js';
import { openResticTarget } from './restic/target.js';
import { planRetention } from './retention.js';
import { openSealing, type Sealing } from './sealing.js';
import { extractSnapshot, writeSnapshot } from './snapshot-file.js';
import { Soundness } from './soundness.js';
import { type SecretSource, StoredKeys } from './stored-keys.js';

/** How often another name is tried where there is a backup of that second and those digits. */
const IDS_TRIED_MAX = 10;
const SUFFIX_BYTES = 2;

export interface BackupsInit {
  readonly secrets: SecretSource;
  readonly now: () => Date;
  /** Of the environment, as far as programs that are run need it; undefined: this process's. */
  readonly variables?: NodeJS.ProcessEnv;
}

export function openBackups(policy: BackupPolicy, init: BackupsInit): Backups {
  const keys = new StoredKeys(policy.root, init.secrets, init.now);
  const secrets = (): Promise<KnownSecrets> => keys.known();
  const sealing = openSealing(policy, secrets);
  return new StoredBackups({
    repository: new Repository(policy.root),
    keys,
    keep: policy.keep,
    secrets,
    sealing,
    now: init.now,
    history: new StoredHistory({
      root: policy.root,
      bytesMax: policy.historyBytesMax,
      sealing,
      now: init.now,
    }),
    target: openTarget(policy, init, secrets, sealing),
  });
}

function openTarget(
  { root, target }: BackupPolicy,
  { variables }: BackupsInit,
  secrets: () => Promise<KnownSecrets>,
  sealing: Sealing,
): Target | undefined {
  if (target === undefined) return undefined;
  const passwords = async (): Promise<Passwords> => {
    const { present, earlier } = await secrets();
    return { present: present.resticPassword(), earlier: earlier.map((secret) => secret.resticPassword()) };
  };
  const judge = new Soundness(secrets, sealing);
  return openResticTarget({ target, root, passwords, judge, variables: variables ?? process.env });
}

interface Parts {
  readonly repository: Repository;
  readonly keys: BackupKeys;
  readonly keep: Retention;
  readonly secrets: () => Promise<KnownSecrets>;
  readonly sealing: Sealing;
  readonly now: () => Date;
  readonly history: History;
  readonly target: Target | undefined;
}

class StoredBackups implements Backups {
  readonly #parts: Parts;
  readonly #repository: Repository;
  #looking: Promise<KnownSecrets> | undefined;
  readonly root: string;
  readonly keys: BackupKeys;
  readonly history: History;
  readonly target: Target | undefined;
  readonly pushes: PushNote;

  constructor(parts: Parts) {
    this.#parts = parts;
    this.#repository = parts.repository;
    this.root = parts.repository.root;
    this.keys = parts.keys;
    this.history = parts.history;
    this.target = parts.target;
    this.pushes = new StoredPushNote(this.root, parts.now);
  }

  acquire(...args: Parameters<Backups['acquire']>): Promise<AsyncDisposable> {
    return this.#repository.acquire(...args);
  }

  environments(): Promise<readonly string[]> {
    return this.#repository.environments();
  }

  async datedLater(): Promise<readonly DatedLater[]> {
    const now = this.#parts.now().getTime();
    const secrets = await this.#parts.secrets();
    const found: DatedLater[] = [];
    for (const env of await this.#repository.folders()) {
      for (const id of await this.#repository.ids(env)) {
        const listed = await this.#listed({ env, id }, secrets);
        const at = (listed.problem === undefined ? listed.manifest : listed.failed)?.createdAt;
        if (at !== undefined && Date.parse(at) > now)
          found.push({ folder: this.#repository.folderOf({ env, id }), at });
      }
      const lineages = await new ArchiveFolder(this.root, env, this.#parts.sealing)
        .lineages()
        .catch((error: unknown) => {
          throw writeFailure(join(this.root, env), error);
        });
      for (const { folder, index } of lineages) {
        if (index !== undefined && reachOf(index) * 1_000 > now) found.push({ folder, at: iso(reachOf(index)) });
      }
    }
    return found;
  }

  async list(env: string): Promise<readonly ListedBackup[]> {
    const ids = await this.#repository.ids(env);
    if (ids.length === 0) return [];
    const secrets = await this.#secretsOrWhyNot();
    const listed: ListedBackup[] = [];
    for (const id of ids) listed.push(await this.#listed({ env, id }, secrets));
    return listed.sort(newestFirst);
  }

  async latest(env: string): Promise<LatestBackups> {
    const now = this.#parts.now();
    const all = (await this.#repository.ids(env)).toReversed();
    const ids = all.filter((id) => !isInFuture({ id }, now));
    let newest: Manifest | undefined;
    let failed: Manifest | undefined;
    let damaged = 0;
    const found = (verified: Manifest | undefined): LatestBackups => {
      return { newest, verified, failed, damaged, inFuture: all.length - ids.length };
    };
    if (ids.length === 0) return found(undefined);
    const secrets = await this.#secretsForLooks();
    for (const id of ids) {
      const listed = await this.#listed({ env, id }, secrets);
      if (listed.problem !== undefined) {
        failed ??= listed.failed;
        if (listed.failed === undefined) damaged += 1;
        continue;
      }
      if (env === LOCKER_NAME && listed.ofEarlierKey === true) continue;
      const { manifest } = listed;
      newest ??= manifest;
      if (manifest.verification !== null && new Date(manifest.verification.verifiedAt) <= now) return found(manifest);
    }
    return found(undefined);
  }

  async read(env: string, id: BackupId | undefined): Promise<Manifest> {
    if (id === undefined) return this.#newest(env);
    if (!(await this.#repository.holds({ env, id }))) throw notFound(env, id);
    return (await this.#believed({ env, id }, await this.#parts.secrets())).manifest;
  }

  async write(backup: NewBackup, snapshot: AsyncIterable<Buffer>, onBytes?: OnBytes): Promise<Manifest> {
    const { present } = await this.#parts.secrets();
    const place = await this.#newPlace(backup);
    const { env, kind, version, engine, replication, createdAt } = backup;
    return this.#repository.add(place, async (folder) => {
      const written = await writeSnapshot(folder, this.#parts.sealing, snapshot, onBytes);
      const manifest: Manifest = {
        schema: MANIFEST_SCHEMA,
        id: place.id,
        env,
        kind,
        createdAt: createdAt.toISOString(),
        durationMs: Math.max(0, this.#parts.now().getTime() - createdAt.getTime()),
        version,
        engine,
        replication,
        snapshot: written,
        content: null,
        verification: null,
      };
      return { manifest: renderManifest(manifest, present), result: manifest };
    });
  }

  async extract(manifest: Manifest, to: string, owner: FileOwner | undefined, onBytes?: OnBytes): Promise<void> {
    const folder = this.#repository.folderOf(manifest);
    try {
      await extractSnapshot(folder, this.#parts.sealing, manifest.snapshot, { path: to, owner, onBytes });
    } catch (error) {
      throw error instanceof Unreadable ? damaged(manifest, manifest.snapshot.file, error.message, error) : error;
    }
  }

  async record(manifest: Manifest, found: Required<Pick<Manifest, 'content' | 'verification'>>): Promise<Manifest> {
    if (!(await this.#repository.holds(manifest))) throw notFound(manifest.env, manifest.id);
    // Under the secret that it was made under: that is the one whose identity opens its snapshot.
    const { manifest: all, secret } = await this.#believed(manifest, await this.#parts.secrets());
    const { failure: _forgotten, ...stored } = all;
    const verification = found.verification && { ...found.verification, loadMs: Math.round(found.verification.loadMs) };
    const recorded = { ...stored, content: found.content, verification };
    await this.#repository.writeManifest(manifest, renderManifest(recorded, secret));
    return recorded;
  }

  async recordFailure(manifest: Manifest, failure: VerificationFailure): Promise<Manifest> {
    if (!(await this.#repository.holds(manifest))) throw notFound(manifest.env, manifest.id);
    const { manifest: stored, secret } = await this.#believed(manifest, await this.#parts.secrets());
    const recorded: Manifest = { ...stored, verification: null, failure };
    await this.#repository.writeManifest(manifest, renderManifest(recorded, secret));
    return recorded;
  }

  remove(env: string, id: BackupId): Promise<void> {
    return this.#repository.remove({ env, id });
  }

  retention(backups: readonly ListedBackup[], now: Date, keep: Partial<Retention> = {}): RetentionPlan {
    return planRetention({ ...this.#parts.keep, ...keep }, backups, now);
  }

  /** Looks at many environments at once read the root key's file once, not once each. */
  #secretsForLooks(): Promise<KnownSecrets> {
    this.#looking ??= this.#parts.secrets().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  /** A list is to be had without the root key too: then none of them can be believed, and each says why. */
  async #secretsOrWhyNot(): Promise<KnownSecrets | Nexus3Error> {
    try {
      return await this.#parts.secrets();
    } catch (error) {
      if (error instanceof Nexus3Error && error.code.startsWith('ROOT_KEY_')) return error;
      throw error;
    }
  }

  async #listed(place: BackupPlace, secrets: KnownSecrets | Nexus3Error): Promise<ListedBackup> {
    if (secrets instanceof Nexus3Error) return { ...place, problem: secrets };
    try {
      const { manifest, secret } = await this.#believed(place, secrets);
      const { failure } = manifest;
      if (failure !== undefined) return { ...place, problem: failedVerification(place, failure), failed: manifest };
      return { ...place, manifest, ofEarlierKey: secret.fingerprint !== secrets.present.fingerprint };
    } catch (error) {
      if (error instanceof Nexus3Error) return { ...place, problem: error };
      throw error;
    }
  }

  /** @throws Nexus3Error BACKUP_INVALID, BACKUP_KEY_UNKNOWN, BACKUP_DAMAGED */
  async #believed(place: BackupPlace, secrets: KnownSecrets): Promise<BelievedManifest> {
    let text: string;
    try {
      text = await this.#repository.manifestText(place);
    } catch (error) {
      throw error instanceof Unreadable ? invalid(place, error.message, error) : error;
    }
    const believed = parseManifest(text, place, secrets);
    const { snapshot } = believed.manifest;
    try {
      const bytes = await this.#repository.sizeOf(place, snapshot.file);
      if (bytes !== snapshot.bytes) throw new Unreadable(`it has ${String(bytes)} bytes`);
      return believed;
    } catch (error) {
      throw error instanceof Unreadable ? damaged(place, snapshot.file, error.message, error) : error;
    }
  }

  /** An older one is never taken in its stead without a word. */
  async #newest(env: string): Promise<Manifest> {
    const now = this.#parts.now();
    const all = await this.list(env);
    // What is dated in the future comes last: it is older than it says, by nobody knows how much.
    const ordered = [...all.filter((one) => !isInFuture(one, now)), ...all.filter((one) => isInFuture(one, now))];
    const [newest, ...older] = ordered;
    if (newest === undefined) throw notFound(env, undefined);
    if (newest.manifest !== undefined) return newest.manifest;
    const good = older.find(({ manifest }) => manifest !== undefined);
    const { code, message, evidence, hint } = newest.problem;
    const way = good === undefined ? hint : `The newest one before it that can be believed: --id ${good.id}. ${hint}`;
    throw new Nexus3Error(code, message, { evidence, hint: way, cause: newest.problem });
  }

  async #newPlace({ env, createdAt }: NewBackup): Promise<BackupPlace> {
    for (let tried = 0; tried < IDS_TRIED_MAX; tried += 1) {
      const place = { env, id: backupId(createdAt, randomBytes(SUFFIX_BYTES).toString('hex')) };
      if (!(await this.#repository.holds(place))) return place;
    }
    throw new Error(`${String(IDS_TRIED_MAX)} backups of one second`);
  }
}
