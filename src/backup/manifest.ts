/**
 * `manifest.json`, rendered and read. What is read is believed for its MAC alone: whoever can write into the repository and
 * has no root key can make no manifest that passes, and move none to another place. Pure.
 */
import { Nexus3Error } from '../errors.js';
import { parseJsonObject } from '../json.js';
import { isEnvironmentName } from '../protocol/environment.js';
import { isNamedFor } from './backup-id.js';
import { FINGERPRINT, givenUpBefore, type KnownSecrets, secretNamed, type BackupSecret } from './backup-secret.js';
import { BACKUP_ID, type Manifest, MANIFEST_SCHEMA } from './backups.js';
import { invalid, keyUnknown, nameOf, type BackupPlace } from './faults.js';
import { contentOf, engineOf, failureOf, snapshotOf, verificationOf } from './manifest-parts.js';
import { count, isObject, line, oneOf, time, Untrue } from './untrusted.js';

/** One of a vault with 100,000 graphs has about 16 MB. More than this is not read, and not written. */
export const MANIFEST_BYTES_MAX = 64 * 1024 * 1024;
/** Deeper than any manifest is. */
const DEPTH_MAX = 8;
const MAC = /^[0-9a-f]{64}$/;
const REPLICATION_ID = /^[0-9a-f]{40}$/;

/** Believed, and under which secret. */
export interface BelievedManifest {
  readonly manifest: Manifest;
  readonly secret: BackupSecret;
}

/** @throws Nexus3Error BACKUP_FAILED: it would be larger than is ever read again */
export function renderManifest(manifest: Manifest, secret: BackupSecret): string {
  const mac = { key: secret.fingerprint, value: secret.mac('manifest-mac', canonical(manifest)) };
  const text = `${JSON.stringify({ ...manifest, mac }, null, 2)}\n`;
  const bytes = Buffer.byteLength(text);
  if (bytes > MANIFEST_BYTES_MAX) throw tooLarge(manifest, bytes);
  return text;
}

function tooLarge({ env, id, content }: Manifest, bytes: number): Nexus3Error {
  return new Nexus3Error('BACKUP_FAILED', `What ${nameOf({ env, id })} holds cannot be written down: it is too much.`, {
    evidence: [
      `${String(content?.graphs.length ?? 0)} graphs: ${String(bytes)} bytes of manifest.json, of which ${String(MANIFEST_BYTES_MAX)} would be read again`,
    ],
    hint: 'Its snapshot is sound and can be restored, but not verified. Divide the graphs among more environments.',
  });
}

/**
 * Believes nothing. Fields that this version does not know are covered by the MAC too, and then left out.
 * @throws Nexus3Error BACKUP_INVALID, BACKUP_KEY_UNKNOWN
 */
export function parseManifest(text: string, place: BackupPlace, secrets: KnownSecrets): BelievedManifest {
  const json = parseJsonObject(text);
  if (json === undefined) throw invalid(place, 'it is not JSON, or cut short');
  if (json['schema'] !== MANIFEST_SCHEMA) throw invalid(place, `its schema is not ${MANIFEST_SCHEMA}`);
  const secret = prove(json, place, secrets);
  try {
    const manifest = manifestOf(json);
    if (manifest.env !== place.env || manifest.id !== place.id) {
      throw new Untrue(`it belongs to ${manifest.env}/${manifest.id}`);
    }
    const ended = givenUpBefore(secrets, secret.fingerprint, Date.parse(manifest.createdAt));
    if (ended !== undefined)
      throw invalid(place, `made at ${manifest.createdAt}, with a root key given up at ${ended}`, undefined, ended);
    return { manifest, secret };
  } catch (error) {
    if (error instanceof Untrue) throw invalid(place, error.message);
    throw error;
  }
}

function prove(json: Readonly<Record<string, unknown>>, place: BackupPlace, secrets: KnownSecrets): BackupSecret {
  const { mac, ...said } = json;
  const { key, value } = isObject(mac) ? mac : {};
  if (typeof key !== 'string' || !FINGERPRINT.test(key) || typeof value !== 'string' || !MAC.test(value)) {
    throw invalid(place, 'it has no MAC');
  }
  const secret = secretNamed(secrets, key);
  if (secret === undefined) throw keyUnknown(`The backup ${nameOf(place)}`, key, secrets.fault);
  if (depthOf(said) > DEPTH_MAX || !secret.isMacOf('manifest-mac', canonical(said), value)) {
    throw invalid(place, 'its MAC does not fit: it was changed after it was written');
  }
  return secret;
}

function manifestOf(json: Readonly<Record<string, unknown>>): Manifest {
  const env = line(json['env'], 'env');
  if (!isEnvironmentName(env)) throw new Untrue('env: not a name of an environment');
  const id = line(json['id'], 'id');
  const createdAt = time(json['createdAt'], 'createdAt');
  if (!BACKUP_ID.test(id) || !isNamedFor(id, new Date(createdAt))) throw new Untrue('id: not one of that second');
  const replication = json['replication'];
  if (!isObject(replication)) throw new Untrue('replication: missing');
  const failure = json['failure'] ?? null;
  const replicationId = line(replication['id'], 'replication.id');
  if (!REPLICATION_ID.test(replicationId)) throw new Untrue('replication.id: not 40 hex digits');
  return {
    schema: MANIFEST_SCHEMA,
    id,
    env,
    kind: oneOf(json['kind'], ['standard', 'secure'] as const, 'kind'),
    createdAt,
    durationMs: count(json['durationMs'], 'durationMs'),
    version: line(json['version'], 'version'),
    engine: engineOf(json['engine'], 'engine'),
    replication: { id: replicationId, offset: count(replication['offset'], 'replication.offset') },
    snapshot: snapshotOf(json['snapshot']),
    content: json['content'] === null ? null : contentOf(json['content']),
    verification: json['verification'] === null ? null : verificationOf(json['verification']),
    ...(failure === null ? {} : { failure: failureOf(failure) }),
  };
}

/** The same text for the same content, whatever the order of its fields and its white space. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    isObject(part) ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1))) : part,
  );
}

/** Of nested objects and lists, counted no further than is too deep. */
function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > DEPTH_MAX) return depth;
  return Object.values(value).reduce<number>((most, part) => Math.max(most, depthOf(part, depth + 1)), depth + 1);
}
