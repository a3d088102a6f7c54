/** The note of a rotation under way, as the field `rotation` of an environment's hash holds it: JSON, and no secret. */
import { parseJsonObject } from '../json.js';
import type { CredentialName } from '../protocol/users.js';
import { CREDENTIAL_NAMES } from '../protocol/users.js';
import type { Rotation } from './locker.js';

export const ROTATION_FIELD = 'rotation';

export function renderRotation({ names, phase, startedAt, graceUntil }: Rotation): string {
  return JSON.stringify({ names, phase, startedAt, graceUntil });
}

/** Undefined for what is no such note. */
export function parseRotation(text: string): Rotation | undefined {
  const note = parseJsonObject(text) ?? {};
  const { phase, startedAt, graceUntil } = note;
  const words: readonly unknown[] = Array.isArray(note['names']) ? note['names'] : [];
  const names = CREDENTIAL_NAMES.filter((name: CredentialName) => words.includes(name));
  if (names.length === 0 || names.length !== words.length) return undefined;
  if (!isTime(startedAt) || (phase !== 'prepared' && phase !== 'promoted')) return undefined;
  if (phase === 'prepared') return { names, phase, startedAt, graceUntil: null };
  return isTime(graceUntil) ? { names, phase, startedAt, graceUntil } : undefined;
}

function isTime(value: unknown): value is string {
  return typeof value === 'string' && !Number.isNaN(Date.parse(value));
}
