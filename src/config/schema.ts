/** What nexus3.yaml may hold, and every mistake in it. Pure: a tree in, values and problems out. */
import { isIP } from 'node:net';
import type { Environment, EnvironmentKind } from '../protocol/environment.js';
import { instancesOf, instanceKey, isEnvironmentName, LOCKER_NAME, LOCKER_PORT } from '../protocol/environment.js';
import { fitsPortRange, PORT_MAX, PORT_MIN, portClashes } from '../protocol/ports.js';
import type { Settings } from '../protocol/settings.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import type { RuntimeName } from '../runtime/runtime.js';
import type { BackupLines, WrittenBackupPolicy } from './backup.js';
import { readBackup } from './backup.js';
import type { Configuration, ConfiguredEnvironment, RotationPolicy } from './configuration.js';
import { Fields } from './fields.js';
import type { Problem } from './problems.js';
import { quote } from './problems.js';
import { readSettings } from './settings.js';
import type { MapEntry, TreeNode } from './tree.js';

export { DEFAULT_BACKUP } from './backup.js';

export const ENVIRONMENTS_MAX = 1_000;
export const RUNTIME_NAMES: readonly RuntimeName[] = ['process', 'docker'];
const PASSWORD_AGE_DAYS_MAX = 3_650;
const PATH_CHARS_MAX = 1_024;
export const AUDIT_ENTRIES_MIN = 10;
/** At about 300 bytes each, what Locker keeps in memory for it is then 300 MB. */
export const AUDIT_ENTRIES_MAX = 1_000_000;

export const PORT_MEANING = `a port (${String(PORT_MIN)}–${String(PORT_MAX)})`;
export const NAME_MEANING = 'a name (a lower-case letter, then up to 30 of a–z, 0–9 and -)';

/** What holds where nexus3.yaml, or its absence, says nothing. */
export const DEFAULTS = {
  runtime: 'process',
  network: 'nexus-storage-network',
  image: 'falkordb/falkordb:latest',
  containerPrefix: 'nexus3',
  bind: '127.0.0.1',
  audit: { entriesMax: 100_000 },
} as const;

export const DEFAULT_ROTATION: RotationPolicy = { maxAgeDays: undefined };

/** The file's content with defaults filled in; paths are as they were written. */
export interface FileContent extends Omit<Configuration, 'file' | 'dataRoot' | 'backup'> {
  readonly dataRoot: string | undefined;
  readonly backup: WrittenBackupPolicy;
  readonly backupLines: BackupLines | undefined;
}

/** Exactly one of the two is there. */
export type ReadContent =
  | { readonly content: FileContent; readonly problems?: undefined }
  | { readonly content?: undefined; readonly problems: readonly Problem[] };

export function readContent(tree: TreeNode | undefined): ReadContent {
  const problems: Problem[] = [];
  const root = rootFields(tree, problems);
  if (root === undefined) return { problems };
  const version = root.take('version')?.value;
  if (version !== undefined && !(version.kind === 'scalar' && version.value === 1)) {
    const found = version.kind === 'scalar' ? quote(version.value) : `a ${version.kind}`;
    root.note('version', `${found} is not a version that this nexus3 reads; write 1`);
  }
  const path = { allowed: isPath, meaning: 'a path' };
  const backup = readBackup(root.fields('backup'), path);
  const values = {
    runtime: root.oneOf('runtime', RUNTIME_NAMES) ?? DEFAULTS.runtime,
    dataRoot: root.text('dataRoot', path),
    network:
      root.text('network', {
        allowed: /^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/,
        meaning: 'a network name (letters, digits, "_", "." and "-", at most 63)',
      }) ?? DEFAULTS.network,
    image:
      root.text('image', {
        allowed: /^[A-Za-z0-9][A-Za-z0-9._/:@-]{0,254}$/,
        meaning: 'an image reference, such as falkordb/falkordb:latest',
      }) ?? DEFAULTS.image,
    containerPrefix:
      root.text('containerPrefix', {
        // With the longest environment name and `-operational` it still fits a DNS label of 63.
        allowed: /^[a-z0-9][a-z0-9_-]{0,18}$/,
        meaning: 'a prefix for container names (a–z, 0–9, "_" and "-", at most 19)',
      }) ?? DEFAULTS.containerPrefix,
    bind:
      root.text('bind', {
        allowed: (text) => isIP(text) !== 0,
        meaning: 'an IP address of this host, such as 127.0.0.1',
      }) ?? DEFAULTS.bind,
    audit: readAudit(root),
    engine: root.text('engine', path),
    module: root.text('module', { allowed: isPath, meaning: 'a path, or none' }),
    rotation: readRotation(root.fields('rotation')),
    backup: backup.policy,
    backupLines: backup.lines,
  };
  const forAll = root.fields('settings');
  const settings: Settings = {
    ...DEFAULT_SETTINGS,
    keepHistory: backup.policy.configured,
    ...(forAll === undefined ? {} : readSettings(forAll)),
  };
  const environments = readEnvironments(root, settings);
  root.end();
  return problems.length > 0 ? { problems } : { content: { ...values, environments } };
}

function rootFields(tree: TreeNode | undefined, problems: Problem[]): Fields | undefined {
  if (tree?.kind === 'map') return new Fields(tree, '', problems);
  const found = tree === undefined || (tree.kind === 'scalar' && tree.value === null) ? 'is empty' : 'is not a map';
  problems.push({
    line: tree?.line ?? 1,
    path: '',
    text: `the file ${found}; it begins with \`version: 1\` and \`environments:\``,
  });
  return undefined;
}

function readRotation(fields: Fields | undefined): RotationPolicy {
  const maxAgeDays = fields?.number('maxAgeDays', {
    min: 1,
    max: PASSWORD_AGE_DAYS_MAX,
    meaning: `a number of days (1–${String(PASSWORD_AGE_DAYS_MAX)})`,
  });
  fields?.end();
  return { maxAgeDays };
}

function readAudit(root: Fields): Configuration['audit'] {
  const fields = root.fields('audit');
  const entriesMax = fields?.number('entriesMax', {
    min: AUDIT_ENTRIES_MIN,
    max: AUDIT_ENTRIES_MAX,
    meaning: `a number of entries (${String(AUDIT_ENTRIES_MIN)}–${String(AUDIT_ENTRIES_MAX)})`,
  });
  fields?.end();
  return { entriesMax: entriesMax ?? DEFAULTS.audit.entriesMax };
}

interface ReadEnvironment extends ConfiguredEnvironment {
  /** Undefined for the implied locker. */
  readonly line: number | undefined;
  readonly fields: Fields | undefined;
}

function readEnvironments(root: Fields, settings: Settings): readonly ConfiguredEnvironment[] {
  const map = root.fields('environments');
  const entries = map === undefined ? [] : [...map.entries()];
  if (entries.length > ENVIRONMENTS_MAX) {
    root.note(
      'environments',
      `there are ${String(entries.length)} environments; one file may hold ${String(ENVIRONMENTS_MAX)}`,
    );
    return [];
  }
  const read: ReadEnvironment[] = [];
  if (!entries.some(({ key }) => key === LOCKER_NAME)) {
    read.push({
      name: LOCKER_NAME,
      kind: 'secure',
      vaultPort: LOCKER_PORT,
      settings,
      line: undefined,
      fields: undefined,
    });
  }
  for (const entry of entries) {
    const environment = map === undefined ? undefined : readEnvironment(map, entry, settings);
    if (environment !== undefined) read.push(environment);
  }
  notePortClashes(read);
  return read
    .map(({ name, kind, vaultPort, settings: own }) => ({ name, kind, vaultPort, settings: durable(name, own) }))
    .sort((a, b) => a.vaultPort - b.vaultPort);
}

/** A credential must be on disk before anything needs it, and `appendfsync no` never says that it is (WAITAOF). */
function durable(name: string, settings: Settings): Settings {
  return name === LOCKER_NAME && settings.appendfsync === 'no' ? { ...settings, appendfsync: 'everysec' } : settings;
}

function readEnvironment(map: Fields, entry: MapEntry, settings: Settings): ReadEnvironment | undefined {
  const nameFits = isEnvironmentName(entry.key);
  if (!nameFits) map.note(entry.key, `is not ${NAME_MEANING}`);
  const fields = map.below(entry, 'an environment; write it as { vault: 6640 }');
  if (fields === undefined) return undefined;
  const kind = readKind(entry.key, fields);
  const vaultPort = fields.number('vault', { min: PORT_MIN, max: PORT_MAX, meaning: PORT_MEANING });
  if (vaultPort === undefined && fields.lineOf('vault') === undefined) {
    fields.note('vault', `is missing; write the vault’s port, such as { vault: 6640 }`);
  }
  if (fields.take('operational') !== undefined) {
    fields.note('operational', 'is always the port after the vault’s; leave it out');
  }
  const own = fields.fields('settings');
  const merged: Settings = { ...settings, ...(own === undefined ? {} : readSettings(own)) };
  fields.end();
  if (!nameFits || vaultPort === undefined) return undefined;
  const environment: Environment = { name: entry.key, kind, vaultPort };
  if (!fitsPortRange(environment)) {
    fields.note('vault', `${String(vaultPort)} leaves no port for the operational (at most ${String(PORT_MAX)})`);
    return undefined;
  }
  return { ...environment, settings: merged, line: fields.lineOf('vault'), fields };
}

function readKind(name: string, fields: Fields): EnvironmentKind {
  const kind = fields.oneOf('kind', ['standard', 'secure']);
  if (name !== LOCKER_NAME) return kind ?? 'standard';
  if (kind === 'standard') fields.note('kind', 'Locker is a Secure Environment; write secure, or leave it out');
  return 'secure';
}

/** In the file's order, so that the later of two is the one that is named, with the line of the earlier. */
function notePortClashes(environments: readonly ReadEnvironment[]): void {
  const byInstance = new Map(
    environments.flatMap((environment) =>
      instancesOf(environment).map((id) => [instanceKey(id), environment] as const),
    ),
  );
  for (const { port, first, second } of portClashes(environments)) {
    const holder = byInstance.get(first);
    const where = holder?.line === undefined ? 'implied by every configuration' : `line ${String(holder.line)}`;
    const own = second.endsWith('/operational') ? `${String(port)}, its operational’s,` : String(port);
    byInstance.get(second)?.fields?.note('vault', `${own} is the port of ${first} (${where})`);
  }
}

function isPath(text: string): boolean {
  // Control characters would break the rendered files that hold the path.
  return text.trim() !== '' && text.length <= PATH_CHARS_MAX && !/\p{Cc}/u.test(text);
}
