/** Looks for passwords where none may be: in files, in what processes show of themselves, in what was printed. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Secret } from '../../src/protocol/secret.js';
import { CREDENTIAL_NAMES } from '../../src/protocol/users.js';
import type { CliResult, Nexus } from './nexus.js';
import type { Form } from './secret-forms.js';
import { formsOf } from './secret-forms.js';

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

const known = new Map<string, readonly Form[]>();

function forms(password: string): readonly Form[] {
  const found = known.get(password) ?? formsOf(password);
  known.set(password, found);
  return found;
}

/** The form in which a secret lies in a text. */
function formIn(bytes: Buffer, password: string): Form | undefined {
  return password === '' ? undefined : forms(password).find((form) => bytes.includes(form.bytes));
}

/** What was found in one text: `where: the password of track admin, in base64`. */
export function findIn(where: string, text: Buffer | string, passwords: Passwords): readonly string[] {
  const bytes = Buffer.isBuffer(text) ? text : Buffer.from(text);
  return [...passwords].flatMap(([whose, password]) => {
    const form = formIn(bytes, password);
    return form === undefined
      ? []
      : [`${where}: the password of ${whose}${form.name === '' ? '' : `, in ${form.name}`}`];
  });
}

export interface Hunted {
  readonly files: number;
  readonly found: readonly string[];
}

export interface HuntedFiles extends Hunted {
  /** With something in them. */
  readonly paths: readonly string[];
}

/** Every file below a folder. @param mayHold says which password a file is there to hold, as it is. */
export async function huntFiles(
  folder: string,
  passwords: Passwords,
  mayHold: (path: string, whose: string, mode: number) => boolean,
): Promise<HuntedFiles> {
  const found: string[] = [];
  const paths: string[] = [];
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    // A server may replace its own temporary files meanwhile.
    const bytes = await readFile(path).catch(() => undefined);
    if (bytes === undefined) continue;
    if (bytes.length > 0) paths.push(path);
    const { mode } = await stat(path).catch(() => ({ mode: 0 }));
    const forbidden = [...passwords].filter(
      ([whose, password]) => !mayHold(path, whose, mode & 0o777) || formIn(bytes, password)?.name !== '',
    );
    found.push(...findIn(path, bytes, new Map(forbidden)));
    // Its name, too, is there for all to see.
    found.push(...findIn(`the name of ${path}`, path, passwords));
  }
  return { files: paths.length, paths, found };
}

/** The command lines and environments of every process of this machine that may be looked at. */
export async function huntProcesses(passwords: Passwords): Promise<Hunted> {
  const found: string[] = [];
  let files = 0;
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    // It may have ended meanwhile, or belong to somebody else.
    const read = (name: string): Promise<Buffer> => readFile(`/proc/${pid}/${name}`).catch(() => Buffer.alloc(0));
    const name = (await read('comm')).toString('utf8').trim();
    const shown = await Promise.all(['cmdline', 'environ'].map(async (what) => [what, await read(what)] as const));
    if (shown.every(([, bytes]) => bytes.length === 0)) continue;
    files += 1;
    for (const [what, bytes] of shown) found.push(...findIn(`process ${pid} (${name}): ${what}`, bytes, passwords));
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
    return this.runWith({}, ...args);
  }

  /** What is piped in is not kept: it may be a secret. */
  async runWith(given: { readonly stdin?: string }, ...args: readonly string[]): Promise<CliResult> {
    const result = await this.nexus.runWith(given, ...args);
    this.#text += `$ nexus3 ${args.join(' ')}\n${result.out}${result.err}`;
    return result;
  }
}
