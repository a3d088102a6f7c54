/** `locker export --recovery FILE`: everything that is needed when the root key is lost, sealed with a passphrase. */
import { lstat } from 'node:fs/promises';
import { hostname } from 'node:os';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { writeFileWhole } from '../../files.js';
import type { KitContent, RekeyPhase } from '../../locker/custody.js';
import type { Secret } from '../../protocol/secret.js';
import type { Progress } from '../../progress.js';
import { openLocker } from '../access.js';
import type { World } from '../world.js';

/** A passphrase that people can remember and machines cannot guess: four or more words at random. */
export const PASSPHRASE_CHARACTERS_MIN = 12;
const KIT_MODE = 0o600;

export interface ExportOptions {
  /** Absolute path. */
  readonly file: string;
  /** Take the place of a file that is there. */
  readonly force: boolean;
  readonly passphrase: Secret;
  /** Of nexus3. */
  readonly version: string;
}

export interface ExportReport extends KitContent {
  readonly file: string;
  readonly createdAt: string;
}

/** Before a passphrase is asked for. @throws KIT_EXISTS, FILE_NOT_WRITABLE */
export async function admitExport({ file, force }: Pick<ExportOptions, 'file' | 'force'>): Promise<void> {
  if (force) return;
  try {
    await lstat(file);
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return;
  }
  throw new Nexus3Error('KIT_EXISTS', `There is a file at ${file} already.`, {
    evidence: [file],
    hint: 'Name another one; --force takes its place.',
  });
}

/** @throws USAGE */
export function admitPassphrase(passphrase: Secret): void {
  const { length } = Array.from(passphrase.reveal());
  if (length >= PASSPHRASE_CHARACTERS_MIN) return;
  throw new Nexus3Error(
    'USAGE',
    `The passphrase is too short: it needs ${String(PASSPHRASE_CHARACTERS_MIN)} characters.`,
    {
      evidence: [`${String(length)} characters were given`],
      hint: 'Whoever finds the kit can try as many as he likes: take four or more words at random.',
    },
  );
}

export async function exportKit(world: World, options: ExportOptions, progress: Progress): Promise<ExportReport> {
  admitPassphrase(options.passphrase);
  await admitExport(options);
  await world.runtime.ready();
  await using _lock = await world.locks.acquire('locker export', (holder) => {
    progress.note(`waiting for ${holder}`);
  });
  const { kit, rekey } = world.locker.custody;
  const { phase } = await rekey.state();
  if (phase !== 'none') throw rekeyFirst(phase);
  await openLocker(world);
  const createdAt = world.clock.now().toISOString();
  progress.step('seal what Locker holds');
  const origin = { createdAt, host: hostname(), nexus3: options.version };
  const { text, content } = await kit.seal(options.passphrase, origin);
  progress.done('what Locker holds is sealed');
  await writeFileWhole(options.file, text, { mode: KIT_MODE });
  await kit.note(createdAt);
  await world.locker.note({ action: 'export', what: 'recovery kit', outcome: 'ok' });
  return { file: options.file, createdAt, ...content };
}

function rekeyFirst(phase: RekeyPhase): Nexus3Error {
  return new Nexus3Error(
    'REKEY_REFUSED',
    'A change of the root key was cut off, so a kit made now might open nothing.',
    {
      evidence: [`the change is ${phase}`],
      hint: 'Finish it first: nexus3 locker rekey',
    },
  );
}
