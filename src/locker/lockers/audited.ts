/** Lockers that note what is asked of them: a value is handed out only after that is in the audit. */
import { Nexus3Error } from '../../errors.js';
import type { Secret } from '../../protocol/secret.js';
import type { AuditAction, AuditNote } from '../locker.js';
import type { Changed, LockerHit, Lockers, LockerSummary, LockerView, LockerWords, Revealed } from '../lockers.js';
import { LOCKER_ID } from '../keys.js';
import { isKeyName, isLockerName } from './words.js';

/** How much of what was changed one entry of the audit says. */
const WHAT_CHARS_MAX = 200;
/** Refused by a rule; everything else that goes wrong has failed. */
const DENIED: ReadonlySet<string> = new Set(['LOCKER_REFUSED', 'LOCKER_ROTATING']);

const UNCHANGED = 'unchanged';

export class AuditedLockers implements Lockers {
  readonly #lockers: Lockers;
  readonly #note: (note: AuditNote) => Promise<void>;

  constructor(lockers: Lockers, note: (note: AuditNote) => Promise<void>) {
    this.#lockers = lockers;
    this.#note = note;
  }

  async list(): Promise<readonly LockerSummary[]> {
    return this.#lockers.list();
  }

  async show(ref: string): Promise<LockerView> {
    return this.#lockers.show(ref);
  }

  async search(text: string): Promise<readonly LockerHit[]> {
    return this.#lockers.search(text);
  }

  async create(name: string, words: LockerWords, at: Date): Promise<LockerView> {
    return this.#noted('create-locker', [name], async () => {
      const made = await this.#lockers.create(name, words, at);
      return [made, made.id];
    });
  }

  async rename(ref: string, name: string): Promise<LockerView> {
    return this.#noted('rename-locker', [ref], async () => {
      const renamed = await this.#lockers.rename(ref, name);
      return [renamed, renamed.id, renamed.name];
    });
  }

  async edit(ref: string, words: LockerWords): Promise<LockerView> {
    return this.#noted('edit-locker', [ref], async () => {
      const edited = await this.#lockers.edit(ref, words);
      return [edited, edited.id];
    });
  }

  async set(ref: string, values: ReadonlyMap<string, Secret | null>, at: Date): Promise<Changed> {
    return this.#noted('set', [ref, ...values.keys()], async () => {
      const done = await this.#lockers.set(ref, values, at);
      return [done, whatOf([done.locker.id, ...values.keys()]), done.changed.length === 0 ? UNCHANGED : undefined];
    });
  }

  async mistakesIn(ref: string, values: ReadonlyMap<string, Secret | null>): Promise<readonly string[]> {
    return this.#lockers.mistakesIn(ref, values);
  }

  async reveal(ref: string, key: string): Promise<Revealed> {
    return this.#noted('reveal', [ref, key], async () => {
      const revealed = await this.#lockers.reveal(ref, key);
      return [revealed, `${revealed.id}/${key}`];
    });
  }

  async restore(ref: string, key: string): Promise<Changed> {
    return this.#noted('restore', [ref, key], async () => {
      const done = await this.#lockers.restore(ref, key);
      return [done, `${done.locker.id}/${key}`];
    });
  }

  async deleteKey(ref: string, key: string, forGood: boolean): Promise<Changed> {
    return this.#noted('delete', [ref, key], async () => {
      const done = await this.#lockers.deleteKey(ref, key, forGood);
      return [done, `${done.locker.id}/${key}`, forGood ? 'for good' : undefined];
    });
  }

  async deleteLocker(ref: string): Promise<LockerView> {
    return this.#noted('delete-locker', [ref], async () => {
      const gone = await this.#lockers.deleteLocker(ref);
      return [gone, gone.id, gone.name];
    });
  }

  /** @param typed what is said of a try that did not work: as it was typed, where that is a name at all */
  async #noted<T>(
    action: AuditAction,
    typed: readonly string[],
    work: () => Promise<readonly [result: T, what: string, detail?: string | undefined]>,
  ): Promise<T> {
    const [result, what, detail] = await work().catch(async (error: unknown) => {
      await this.#noteFailure(action, typed, error);
      throw error;
    });
    try {
      await this.#note({ action, what, outcome: 'ok', ...(detail === undefined ? {} : { detail }) });
    } catch (error) {
      const isChange = action !== 'reveal' && detail !== UNCHANGED;
      throw isChange && error instanceof Nexus3Error ? doneUnnoted(what, error) : error;
    }
    return result;
  }

  async #noteFailure(action: AuditAction, typed: readonly string[], error: unknown): Promise<void> {
    const code = error instanceof Nexus3Error ? error.code : 'DEFECT';
    const outcome = DENIED.has(code) ? 'denied' : 'failed';
    try {
      await this.#note({ action, what: whatOf(typed), outcome, detail: code });
    } catch {
      // Locker may be what failed: the first error says more than this one.
    }
  }
}

function doneUnnoted(what: string, cause: Nexus3Error): Nexus3Error {
  return new Nexus3Error('AUDIT_NOT_WRITTEN', `The change of ${what} was done, but could not be noted in the audit.`, {
    evidence: cause.evidence.length === 0 ? [cause.message] : cause.evidence,
    hint: 'Do not do it again. Why Locker does not write: nexus3 check locker, and nexus3 locker audit --verify',
    cause,
  });
}

/** `l_1a2b/one,two`; nothing of what may be no name: somebody may have typed a value there. */
function whatOf([ref = '', ...keys]: readonly string[]): string {
  const whose = LOCKER_ID.test(ref) || isLockerName(ref) ? ref : '?';
  const named = keys.map((key) => (isKeyName(key) ? key : '?')).join(',');
  const what = keys.length === 0 ? whose : `${whose}/${named}`;
  return what.length > WHAT_CHARS_MAX ? `${what.slice(0, WHAT_CHARS_MAX - 1)}…` : what;
}
