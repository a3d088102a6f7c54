/**
 * The port of the lockers: named places for values that people and servers keep in Locker. lockers/ implements it. The environments' passwords are one of them, `l_e0dd`, with keys like `track.default`.
 */
import type { Secret } from '../protocol/secret.js';

/** The locker of the environments’ passwords. */
export const ENVIRONMENTS_ID = 'l_e0dd';

/** What is said of a locker in a list. Never a value. */
export interface LockerSummary {
  /** `l_` and 4 hex digits: stays through every rename, and is never given again. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  /** Names of the keys that hold a value, in order. */
  readonly keys: readonly string[];
}

export interface KeyView {
  readonly name: string;
  /** Counts the values that the key has had; null: it was deleted, and only the value before the last is left. */
  readonly version: number | null;
  /** ISO 8601; null where it is not known. */
  readonly madeAt: string | null;
  /** Whether there is a value before the last, to be restored. */
  readonly hasPrevious: boolean;
  /** A rotation is replacing it. */
  readonly rotating: boolean;
}

/** Everything of a locker but its values. */
export interface LockerView {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly notes: string;
  /** ISO 8601; null where it is not known. */
  readonly createdAt: string | null;
  readonly keys: readonly KeyView[];
}

/** Where a text was found. */
export type FoundIn = 'id' | 'name' | 'description' | 'notes' | 'key';

export interface LockerHit extends LockerSummary {
  readonly foundIn: readonly FoundIn[];
}

export interface Revealed {
  readonly id: string;
  readonly name: string;
  readonly key: string;
  readonly version: number;
  readonly madeAt: string | null;
  readonly value: Secret;
}

/** The locker as it is now, and what this change did to it. */
export interface Changed {
  readonly locker: LockerView;
  /** Keys that have another value now, or none; one that was as wanted already is not among them. */
  readonly changed: readonly string[];
}

export interface LockerWords {
  readonly description?: string | undefined;
  readonly notes?: string | undefined;
}

/**
 * `ref` is an id or a name, in whatever case. What is changed is durable when it resolves, all of it or nothing. Every
 * change and every reveal is in the audit.
 * @throws Nexus3Error LOCKER_UNKNOWN, LOCKER_INPUT_INVALID, LOCKER_UNREACHABLE, LOCKER_VALUE_…, ROOT_KEY_…
 */
export interface Lockers {
  list(): Promise<readonly LockerSummary[]>;
  show(ref: string): Promise<LockerView>;
  /** Without regard to case, in everything but values. */
  search(text: string): Promise<readonly LockerHit[]>;
  /** @throws LOCKER_EXISTS, LOCKER_FULL */
  create(name: string, words: LockerWords, at: Date): Promise<LockerView>;
  /** @throws LOCKER_EXISTS, LOCKER_REFUSED */
  rename(ref: string, name: string): Promise<LockerView>;
  edit(ref: string, words: LockerWords): Promise<LockerView>;
  /**
   * All of them or none; null deletes. The value there was becomes the one before. A value that is the same already stays
   * as it is, so that a run that was killed can be run again.
   * @throws LOCKER_FULL, LOCKER_REFUSED, LOCKER_ROTATING, ENVIRONMENT_UNKNOWN
   */
  set(ref: string, values: ReadonlyMap<string, Secret | null>, at: Date): Promise<Changed>;
  /** Why `set` would not take these, each mistake a line that shows no value. */
  mistakesIn(ref: string, values: ReadonlyMap<string, Secret | null>): Promise<readonly string[]>;
  /** @throws LOCKER_KEY_UNKNOWN */
  reveal(ref: string, key: string): Promise<Revealed>;
  /** Swaps the value and the one before it. @throws LOCKER_KEY_UNKNOWN, LOCKER_ROTATING */
  restore(ref: string, key: string): Promise<Changed>;
  /** Kept as the one before the last, unless it is for good. @throws LOCKER_KEY_UNKNOWN, LOCKER_REFUSED */
  deleteKey(ref: string, key: string, forGood: boolean): Promise<Changed>;
  /** For good; its id is never given again. @throws LOCKER_REFUSED */
  deleteLocker(ref: string): Promise<LockerView>;
}
