/** How long work says what it is doing. The command line prints it; a library user may ignore it. */
export interface Progress {
  /** A step begins; it ends with the next one, or with `done`. */
  step(text: string): void;
  /** A step ended well, with what was measured. */
  done(text: string): void;
  /** Worth telling, e.g. what is being waited for. */
  note(text: string): void;
}

/** For callers who want to hear nothing. */
export const SILENT: Progress = {
  step: () => undefined,
  done: () => undefined,
  note: () => undefined,
};
