/** Looks for passwords where none may be: in files, in what processes show of themselves, in what was printed. */
import { readdir, readFile, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../../src/protocol/secret.js';
import { CREDENTIAL_NAMES } from '../../src/protocol/users.js';
import type { CliResult, Nexus } from './nexus.js';

/** `track admin` → the password */
export type Passwords = ReadonlyMap<string, string>;

/** Every password that Locker holds for these environments now, and Locker's own. */
export async function passwordsOf(nexus: Nexus, envs: readonly string[]): Promise<Passwords> {
  await using world = await nexus.world();
  const found = new Map<string, string>();
  for (const env of envs) {
    for (const name of CREDENTIAL_NAMES) {
      const secret = await world.locker.getCredential(env, name).catch(() => undefined);
      if (secret instanceof Secret) found.set(`${env} ${name}`, secret.reveal());
    }
  }
  return found;
}

/** What was found in one text: `where: the password of track admin`. */
export function findIn(where: string, text: Buffer | string, passwords: Passwords): readonly string[] {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text);
  return [...passwords]
    .filter(([, password]) => password !== '' && bytes.includes(password))
    .map(([whose]) => `${where}: the password of ${whose}`);
}

export interface Hunted {
  readonly files: number;
  readonly found: readonly string[];
}

/** Every file below a folder. @param mayHold says which password a file is there to hold. */
export async function huntFiles(
  folder: string,
  passwords: Passwords,
  mayHold: (path: string, whose: string, mode: number) => boolean,
): Promise<Hunted> {
  const found: string[] = [];
  let files = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // A server may replace its own temporary files meanwhile.
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined) continue;
    files += 1;
    const { mode } = await stat(path).catch(() => ({ mode: 0 }));
    for (const [whose, password] of passwords) {
      if (bytes.includes(password) && !mayHold(path, whose, mode & 0o777)) {
        found.push(`${path}: the password of ${whose}`);
      }
    }
  }
  return { files, found };
}

/** The command lines and environments of all processes that work below this folder. */
export async function huntProcesses(folder: string, passwords: Passwords): Promise<Hunted> {
  const found: string[] = [];
  let files = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const cwd = await readlink(`/proc/${pid}/cwd`).catch(() => '');
    if (!cwd.startsWith(folder)) continue;
    files += 1;
    for (const name of ['cmdline', 'environ']) {
      const bytes = await readFile(`/proc/${pid}/${name}`).catch(() => Buffer.alloc(0));
      found.push(...findIn(`process ${pid}: ${name}`, bytes, passwords));
    }
  }
  return { files, found };
}

/** Runs commands and keeps all that they print. */
export class Transcript {
  #text = '';

  constructor(readonly nexus: Nexus) {}

  get text(): string {
    return this.#text;
  }

  async run(...args: readonly string[]): Promise<CliResult> {
    const result = await this.nexus.run(...args);
    this.#text += `$ nexus3 ${args.join(' ')}\n${result.out}${result.err}`;
    return result;
  }
}
