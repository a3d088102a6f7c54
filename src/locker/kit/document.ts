/**
 * What a recovery kit holds, as one JSON document, `nexus3.recovery-kit/1`: the root key, and every hash of Locker with its
 * values in the clear, so that a person can read a password out of it with nothing but `age -d` and eyes. Pure.
 */
import { Nexus3Error } from '../../errors.js';
import { parseJsonObject } from '../../json.js';
import type { KitContent, KitOrigin } from '../custody.js';
import { deriveKeyEncryptionKey } from '../derive.js';
import { DataKey, type Slot, VALUE_BYTES_MAX } from '../envelope.js';
import { KEY, placeOfKey } from '../keys.js';
import { parseRootKey, type RootKey } from '../root-key.js';
import { FIELD, SLOTS } from '../sealed-hash.js';
import { foreign } from './age-file.js';

export const KIT_SCHEMA = 'nexus3.recovery-kit/1';
const PREFIX = 'nexus3:locker:';
const HASHES_MAX = 100_000;
const FIELDS_MAX = 100_000;
const VERSION_MAX = 999_999_999_999_999;

export interface KitValue {
  readonly name: string;
  readonly slot: Slot;
  readonly version: number;
  readonly text: string;
}

export interface KitHash {
  readonly key: string;
  /** As they lie in Redis; of a sealed hash all but its values. */
  readonly fields: Readonly<Record<string, string>>;
  /** In the clear. Empty for a hash that nothing is sealed in. */
  readonly values: readonly KitValue[];
}

export interface KitDocument extends KitOrigin {
  /** One line, as root.key holds it. */
  readonly rootKey: string;
  readonly hashes: readonly KitHash[];
}

export interface OpenedDocument {
  readonly document: KitDocument;
  readonly rootKey: RootKey;
}

/** The audit is bound to the host that wrote it, and the note of a kit says nothing of a later one. */
export function belongsIntoKit(key: string): boolean {
  return key !== KEY.kit && key !== KEY.audit && !key.startsWith(`${KEY.audit}:`);
}

export function contentOf({ hashes }: KitDocument): KitContent {
  const environments = hashes.filter(({ key }) => (placeOfKey(key)?.env ?? '') !== '').length;
  const values = hashes.flatMap((hash) => hash.values).filter(({ slot }) => slot === 'value').length;
  return { environments, hashes: hashes.length, values };
}

export function renderKit({ createdAt, host, nexus3, rootKey, hashes }: KitDocument): string {
  return `${JSON.stringify({ schema: KIT_SCHEMA, createdAt, host, nexus3, rootKey, hashes }, null, 1)}\n`;
}

/** Believes nothing: what is restored from it is only what a kit may hold. @throws Nexus3Error KIT_FOREIGN, KIT_INVALID */
export function parseKit(text: string): OpenedDocument {
  const kit = parseJsonObject(text);
  if (kit?.['schema'] !== KIT_SCHEMA) throw foreign('what is sealed in it is something else');
  const { createdAt, host, nexus3, rootKey: line, hashes } = kit;
  if (!isTime(createdAt) || !isLine(host) || !isLine(nexus3))
    throw untrue('it does not say when and where it was made');
  const rootKey = typeof line === 'string' ? parseRootKey(line) : 'empty';
  if (typeof line !== 'string' || typeof rootKey === 'string') throw untrue('there is no root key in it');
  if (!Array.isArray(hashes) || hashes.length > HASHES_MAX) throw untrue('it does not list what Locker held');
  const parsed = hashes.map((hash: unknown) => parseHash(hash, rootKey));
  if (new Set(parsed.map(({ key }) => key)).size < parsed.length) throw untrue('it holds something twice');
  return { document: { createdAt, host, nexus3, rootKey: line, hashes: parsed }, rootKey };
}

function parseHash(hash: unknown, rootKey: RootKey): KitHash {
  if (!isObject(hash)) throw untrue('one entry is no hash');
  const { key, fields, values } = hash;
  if (typeof key !== 'string' || !key.startsWith(PREFIX) || !isLine(key) || !belongsIntoKit(key)) {
    throw untrue('one entry does not belong to Locker');
  }
  if (!isObject(fields) || !Array.isArray(values) || Object.keys(fields).length > FIELDS_MAX) {
    throw untrue(`${key} is incomplete`);
  }
  const plain = Object.entries(fields).map(([name, text]): [string, string] => {
    if (typeof text !== 'string') throw untrue(`${key} holds what is no text`);
    return [name, text];
  });
  const parsed = { key, fields: Object.fromEntries(plain), values: values.map((value) => parseValue(key, value)) };
  const place = placeOfKey(key);
  if (place === undefined && parsed.values.length > 0) throw untrue(`${key} holds values, and has no key for them`);
  if (place === undefined) return parsed;
  const wrapped = parsed.fields[FIELD.dataKey] ?? '';
  if (DataKey.unwrap(deriveKeyEncryptionKey(rootKey), place, wrapped) === undefined) {
    throw untrue(`the key of ${key} does not open with the root key`);
  }
  return parsed;
}

function parseValue(key: string, value: unknown): KitValue {
  if (!isObject(value)) throw untrue(`${key} is incomplete`);
  const { name, slot: word, version, text } = value;
  const slot = SLOTS.find((one) => one === word);
  const counts = typeof version === 'number' && Number.isInteger(version) && version >= 1 && version <= VERSION_MAX;
  if (typeof name !== 'string' || slot === undefined || !counts || typeof text !== 'string') {
    throw untrue(`${key} is incomplete`);
  }
  if (Buffer.byteLength(text, 'utf8') > VALUE_BYTES_MAX) throw untrue(`${key} holds a value that is too long`);
  return { name, slot, version, text };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}

/** To be shown to a person. */
function isLine(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 500 && !/\p{Cc}/u.test(value);
}

function untrue(evidence: string): Nexus3Error {
  return new Nexus3Error('KIT_INVALID', 'What is in the recovery kit cannot be true.', {
    evidence: [evidence],
    hint: 'Somebody changed it before it was sealed; use another copy of it. Nothing was changed.',
  });
}
