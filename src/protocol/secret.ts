import { inspect } from 'node:util';

const REDACTED = '[secret]';

/** A password in memory. It prints as `[secret]` wherever it is logged, joined, inspected or put into JSON. */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  /** The plain value, for the one place that sends or renders it. */
  reveal(): string {
    return this.#value;
  }

  /** `[secret]`. */
  toString(): string {
    return REDACTED;
  }

  /** `[secret]`. */
  toJSON(): string {
    return REDACTED;
  }

  /** `[secret]`, for `console.log` and the like. */
  [inspect.custom](): string {
    return REDACTED;
  }
}
