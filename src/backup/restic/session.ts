/**
 * A repository of restic that is open: which password opens it is known, and it is the present one when it is used. After
 * the root key was changed it is still the earlier one; then the present one is put in its place.
 */
import type { Secret } from '../../protocol/secret.js';
import { Nexus3Error } from '../../errors.js';
import { resticFailed } from './faults.js';
import type { ResticCall, ResticEnd } from './run.js';
import { runRestic } from './run.js';

/** A question over the network, with the time that a password takes to be tried. */
const ASK_TIMEOUT_MS = 120_000;
/** Of earlier passwords, how many are tried: each takes about a second. */
const EARLIER_TRIED_MAX = 5;
/** But for the first, of restic from 0.17 on; before, its words must do. */
const EXIT = { incomplete: 3, noRepository: 10, locked: 11, wrongPassword: 12 } as const;

export interface ResticPlace {
  /** Absolute. */
  readonly program: string;
  readonly environment: Readonly<Record<string, string>>;
  /** As restic's --repo has it. */
  readonly repository: string;
}

export interface Passwords {
  readonly present: Secret;
  /** Newest last. */
  readonly earlier: readonly Secret[];
}

type Call = Pick<ResticCall, 'args' | 'timeoutMs' | 'cwd' | 'onLine' | 'newPassword'>;

/** What may be changed at the target. Undefined: nothing, as one who only reads needs to. */
export interface MayChange {
  /** Told what is not as it should be, and keeps nobody from their work. */
  readonly onNote: (note: string) => void;
}

export class ResticSession {
  readonly #place: ResticPlace;
  readonly #password: Secret;

  private constructor(place: ResticPlace, password: Secret) {
    this.#place = place;
    this.#password = password;
  }

  /**
   * @param mayChange make the repository where there is none, and put the present password in place of an earlier one
   * @throws Nexus3Error RESTIC_FAILED
   */
  static async open(
    place: ResticPlace,
    passwords: Passwords,
    mayChange: MayChange | undefined,
  ): Promise<ResticSession> {
    const present = new ResticSession(place, passwords.present);
    const end = await present.#probe();
    if (end.code === 0) {
      if (mayChange !== undefined) await present.#forgetEarlier(passwords, mayChange);
      return present;
    }
    if (isMissing(end)) return present.#initOr(mayChange !== undefined, end);
    if (!isWrongPassword(end)) throw unreachable(end);
    for (const password of newest(passwords.earlier)) {
      const earlier = new ResticSession(place, password);
      if ((await earlier.#probe()).code !== 0) continue;
      if (mayChange === undefined) return earlier;
      await earlier.#succeed({ args: ['key', 'add'], newPassword: passwords.present, timeoutMs: ASK_TIMEOUT_MS });
      await present.#removeKeyOf(earlier, mayChange);
      return present;
    }
    throw resticFailed({
      message: 'None of the passwords that the root key gives opens the repository of restic.',
      said: end.errors,
      hint: 'It was made under another root key: use that one, or name another repository as target in nexus3.yaml.',
    });
  }

  /** One that must end well. A lock that a killed run has left is taken away first, if that is all that is in the way. */
  async run(call: Call): Promise<ResticEnd> {
    return this.#succeed(call);
  }

  /** The same, but one that could not read all that it was to store has ended as well as it could. */
  async store(call: Call): Promise<{ readonly isWhole: boolean; readonly errors: readonly string[] }> {
    const { code, errors } = await this.#succeed(call, [0, EXIT.incomplete]);
    return { isWhole: code === 0, errors };
  }

  async #initOr(mayInit: boolean, end: ResticEnd): Promise<ResticSession> {
    if (!mayInit) {
      throw resticFailed({
        message: 'There is no repository of restic at the target.',
        said: end.errors,
        hint: 'See that `target:` in nexus3.yaml names the right one; `nexus3 backup push` makes it.',
      });
    }
    await this.#succeed({ args: ['init'], timeoutMs: ASK_TIMEOUT_MS });
    return this;
  }

  /** A run that put the present password in place of an earlier one may have been cut off before the earlier one was gone. */
  async #forgetEarlier({ earlier }: Passwords, mayChange: MayChange): Promise<void> {
    if (earlier.length === 0 || (await this.#keys()).count < 2) return;
    for (const password of newest(earlier)) {
      const session = new ResticSession(this.#place, password);
      if ((await session.#probe()).code === 0) await this.#removeKeyOf(session, mayChange);
    }
  }

  /** A place that only takes, and lets nobody delete, refuses: what is to be stored is stored all the same. */
  async #removeKeyOf(session: ResticSession, { onNote }: MayChange): Promise<void> {
    const { current } = await session.#keys();
    if (current === undefined) return;
    try {
      await this.#succeed({ args: ['key', 'remove', current], timeoutMs: ASK_TIMEOUT_MS });
    } catch (error) {
      if (!(error instanceof Nexus3Error)) throw error;
      const why = error.evidence.at(-1) ?? error.message;
      onNote(`An earlier root key still opens the repository of restic: its key ${current} cannot be removed (${why})`);
    }
  }

  async #keys(): Promise<Keys> {
    return keysIn((await this.#succeed({ args: ['key', 'list', '--json'], timeoutMs: ASK_TIMEOUT_MS })).stdout);
  }

  /** Whether the password opens it; nothing is locked for that. */
  #probe(): Promise<ResticEnd> {
    return this.#run({ args: ['cat', 'config', '--no-lock'], timeoutMs: ASK_TIMEOUT_MS });
  }

  async #succeed(call: Call, well: readonly number[] = [0]): Promise<ResticEnd> {
    const isWell = ({ code }: ResticEnd): boolean => code !== null && well.includes(code);
    let end = await this.#run(call);
    if (!isWell(end) && isLocked(end)) {
      // Of locks it removes only the stale: of processes of this host that are gone, or not renewed for half an hour.
      await this.#run({ args: ['unlock'], timeoutMs: ASK_TIMEOUT_MS });
      end = await this.#run(call);
    }
    if (isWell(end)) return end;
    if (isLocked(end)) {
      throw resticFailed({
        message: 'Somebody else works in the repository of restic.',
        said: end.errors,
        hint: 'Run the command again when they have ended.',
      });
    }
    throw resticFailed({
      message: `restic ${call.args[0] ?? ''} did not end well.`,
      said: end.errors,
      hint: 'Put right what it complains of, then run the command again; nothing here was changed by it.',
    });
  }

  #run(call: Call): Promise<ResticEnd> {
    const { program, environment, repository } = this.#place;
    // Where the address itself is secret, it stands in the file of secrets.
    const where = 'RESTIC_REPOSITORY' in environment ? [] : ['--repo', repository];
    return runRestic(program, {
      ...call,
      args: [...where, ...call.args],
      environment,
      password: this.#password,
    });
  }
}

function newest(earlier: readonly Secret[]): readonly Secret[] {
  return earlier.toReversed().slice(0, EARLIER_TRIED_MAX);
}

interface Keys {
  readonly count: number;
  /** Of the password that it was opened with. */
  readonly current: string | undefined;
}

function keysIn(text: string): Keys {
  const keys: unknown = JSON.parse(text);
  if (!Array.isArray(keys)) return { count: 0, current: undefined };
  const current: unknown = keys.find((key: unknown) => isRecord(key) && key['current'] === true);
  const id = isRecord(current) ? current['id'] : undefined;
  return { count: keys.length, current: typeof id === 'string' && /^[0-9a-f]{8,64}$/.test(id) ? id : undefined };
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Only where the place itself says that nothing is there: one that cannot be reached may hold everything. */
function isMissing({ code, errors }: ResticEnd): boolean {
  if (code === EXIT.noRepository) return true;
  const line = errors.find((one) => one.includes('unable to open config file')) ?? '';
  return /no such file or directory|does ?n['o]?t exist|does not exist|not found|\(404\)/i.test(line);
}

function isWrongPassword({ code, errors }: ResticEnd): boolean {
  return code === EXIT.wrongPassword || errors.some((line) => line.includes('wrong password or no key found'));
}

function isLocked({ code, errors }: ResticEnd): boolean {
  return code === EXIT.locked || errors.some((line) => line.includes('already locked'));
}

function unreachable(end: ResticEnd): Error {
  return resticFailed({
    message: 'The repository of restic cannot be opened.',
    said: end.errors,
    hint: 'See that its place can be reached, and that `target:` in nexus3.yaml and its environmentFile are right.',
  });
}
