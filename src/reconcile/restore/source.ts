/** What is restored: a backup, or what a vault held at one second of the past. Pure, but for asking the repository. */
import type { BackupId, HistoryPlan, ListedBackup, Manifest } from '../../backup/backups.js';
import { BACKUP_ID } from '../../backup/backups.js';
import { Nexus3Error } from '../../errors.js';
import { LOCKER_NAME } from '../../protocol/environment.js';
import type { World } from '../world.js';
import { isOfEarlierKey, ofEarlierKey, refuseSecondBeforeRekey, refuseSecondOfEarlierKey } from './earlier-key.js';

export type RestoreSource =
  | { readonly kind: 'backup'; readonly env: string; readonly id: BackupId; /** ISO 8601 */ readonly createdAt: string }
  /** @see History: everything that the vault dated with this second or earlier. */
  | { readonly kind: 'history'; readonly env: string; readonly at: string };

export type ChosenSource =
  | { readonly kind: 'backup'; readonly manifest: Manifest; readonly warnings: readonly string[] }
  | { readonly kind: 'history'; readonly plan: HistoryPlan; readonly warnings: readonly string[] };

export interface SourceOptions {
  readonly id?: string | undefined;
  readonly at?: Date | undefined;
}

const TIME = /^(\d{4}-\d{2}-\d{2})T(\d{2}):(\d{2}):(\d{2})(Z|[+-]\d{2}:\d{2})$/;
/** Longer texts are cut in an error. */
const SHOWN_CHARS_MAX = 40;

/**
 * A whole second with its offset: `2026-01-08T12:00:07Z`, or `…+01:00`. Anything that somebody could read in two ways is
 * refused, and a fraction is not rounded.
 * @throws Nexus3Error USAGE
 */
export function parseTime(text: string): Date {
  const [, day, hours, minutes, seconds, offset] = TIME.exec(text) ?? [];
  const time = new Date(text);
  if (day === undefined || Number.isNaN(time.getTime())) throw notATime(text);
  // 30 February, or 24:00, would be read as a day later.
  const local = new Date(`${day}T${String(hours)}:${String(minutes)}:${String(seconds)}Z`);
  const back = local.toISOString();
  if (back !== `${day}T${String(hours)}:${String(minutes)}:${String(seconds)}.000Z`) throw notATime(text);
  if (offset !== 'Z' && Number(offset?.slice(1, 3)) > 14) throw notATime(text);
  return time;
}

function notATime(text: string): Nexus3Error {
  const why = /T\d{2}:\d{2}:\d{2}[.,]\d/.test(text)
    ? 'a second is the smallest step: a fraction is not rounded'
    : /T\d{2}:\d{2}:\d{2}$/.test(text)
      ? 'it does not say in which time zone'
      : 'it is no date and time of ISO 8601, to the second, with its zone';
  const shown = text.length > SHOWN_CHARS_MAX ? `${text.slice(0, SHOWN_CHARS_MAX)}…` : text;
  return new Nexus3Error('USAGE', `${JSON.stringify(shown)} is not a time that can be restored.`, {
    evidence: [why],
    hint: 'Write it like 2026-01-08T12:00:07Z, or with an offset: 2026-01-08T13:00:07+01:00',
  });
}

/** `2026-01-08T12:00:07Z` */
export function formatTime(time: Date): string {
  return time.toISOString().replace('.000Z', 'Z');
}

/** @throws Nexus3Error BACKUP_NOT_FOUND, BACKUP_INVALID, BACKUP_KEY_UNKNOWN, TIME_NOT_COVERED */
export async function chooseSource(
  world: World,
  env: string,
  { id, at }: SourceOptions,
  dataDir: string | undefined,
): Promise<ChosenSource> {
  if (at !== undefined) {
    if (env === LOCKER_NAME) {
      refuseSecondOfEarlierKey(at, await world.backups.list(env));
      await refuseSecondBeforeRekey(at, world);
    }
    return { kind: 'history', plan: await world.backups.history.plan(env, dataDir, at), warnings: [] };
  }
  const backups = await world.backups.list(env);
  if (id !== undefined) {
    if (backups.some((backup) => backup.id === id && isOfEarlierKey(backup))) throw ofEarlierKey(`The backup ${id}`);
    const manifest = await readNamed(world, env, id);
    return { kind: 'backup', manifest, warnings: warningsOf(manifest) };
  }
  const usable = backups.filter((backup) => !isOfEarlierKey(backup));
  const chosen = newestBelieved(usable, world.clock.now());
  // There is none, or none that can be believed: what the repository says of that is the error.
  if (chosen === undefined) {
    const earlier = backups.find(isOfEarlierKey);
    if (earlier !== undefined) throw ofEarlierKey(`The backup ${earlier.id}`);
    return { kind: 'backup', manifest: await world.backups.read(env, undefined), warnings: [] };
  }
  return { kind: 'backup', ...chosen };
}

async function readNamed(world: World, env: string, id: string): Promise<Manifest> {
  if (BACKUP_ID.test(id)) return world.backups.read(env, id);
  const shown = id.length > SHOWN_CHARS_MAX ? `${id.slice(0, SHOWN_CHARS_MAX)}…` : id;
  throw new Nexus3Error('BACKUP_NOT_FOUND', `${JSON.stringify(shown)} is no id of a backup.`, {
    evidence: ['an id looks like 20260108T120000Z-1a2b'],
    hint: `See what there is: nexus3 backup list ${env}`,
  });
}

/** It was asked for by name. */
function warningsOf({ id, failure }: Manifest): readonly string[] {
  return failure === undefined
    ? []
    : [`The last verification of ${id} failed (${failure.code}, ${failure.at}): it may not hold what it should.`];
}

/** One that was proven, before one that is newer and was not; and one dated in the future only where there is no other. */
export function newestBelieved(
  backups: readonly ListedBackup[],
  now: Date,
): { readonly manifest: Manifest; readonly warnings: readonly string[] } | undefined {
  const believed = backups.flatMap(({ manifest }) => (manifest === undefined ? [] : [manifest]));
  const isInFuture = ({ createdAt }: Manifest): boolean => new Date(createdAt) > now;
  const present = believed.filter((one) => !isInFuture(one));
  const manifest = [present, believed].map(best).find((one) => one !== undefined);
  if (manifest === undefined) return undefined;
  const at = backups.findIndex(({ id }) => id === manifest.id);
  const warnings = isInFuture(manifest)
    ? [
        `The backup ${manifest.id} is dated in the future: a clock was wrong, and it may be older than others.`,
        ...backups.filter(({ problem }) => problem !== undefined).map((one) => whyPassedOver(one, isInFuture)),
      ]
    : backups.slice(0, at).map((one) => whyPassedOver(one, isInFuture));
  return { manifest, warnings };
}

function best(backups: readonly Manifest[]): Manifest | undefined {
  return backups.find(({ verification }) => verification !== null) ?? backups[0];
}

function whyPassedOver({ id, manifest, problem }: ListedBackup, isInFuture: (manifest: Manifest) => boolean): string {
  if (problem !== undefined) return `A newer backup, ${id}, cannot be used: ${problem.message}`;
  return isInFuture(manifest)
    ? `A backup dated in the future, ${id}, is passed over: a clock was wrong. It is restored with --id ${id}.`
    : `A newer backup, ${id}, was never verified; it is restored with --id ${id}.`;
}

export function sourceOf(env: string, chosen: ChosenSource): RestoreSource {
  return chosen.kind === 'backup'
    ? { kind: 'backup', env, id: chosen.manifest.id, createdAt: chosen.manifest.createdAt }
    : { kind: 'history', env, at: chosen.plan.at };
}

export function isSameSource(a: RestoreSource, b: RestoreSource): boolean {
  if (a.env !== b.env) return false;
  return a.kind === 'backup' ? b.kind === 'backup' && a.id === b.id : b.kind === 'history' && a.at === b.at;
}

/** `the backup 20260108T120000Z-1a2b` */
export function wordsOf(source: RestoreSource): string {
  return source.kind === 'backup' ? `the backup ${source.id}` : `what it held at ${source.at}`;
}
