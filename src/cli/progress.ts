/** Progress on stderr: one updating line on a terminal, a plain line for each finished step elsewhere. */
import type { Progress } from '../progress.js';
import { SILENT } from '../progress.js';
import type { OutputStream } from './io.js';
import type { Page } from './render/paint.js';
import { clean, cut } from './render/text.js';

/** The line says how long a step takes already once it has taken this long, in milliseconds. */
const TICK_MS = 1_000;
const CLEAR_LINE = '\r\u001b[K';

export interface CliProgress extends Progress {
  /** Takes the updating line away; the next step brings one again. */
  clear(): void;
}

export function makeProgress(stream: OutputStream, page: Page, isSilent: boolean): CliProgress {
  if (isSilent) return { ...SILENT, clear: () => undefined };
  return stream.isTTY === true ? new LiveProgress(stream, page) : new PlainProgress(stream);
}

class PlainProgress implements CliProgress {
  #lastNote = '';

  constructor(private readonly stream: OutputStream) {}

  step(): void {
    // Only finished steps are told: a log of beginnings says nothing.
  }

  done(text: string): void {
    this.#write(`done: ${text}`);
  }

  note(text: string): void {
    if (text !== this.#lastNote) this.#write(text);
    this.#lastNote = text;
  }

  clear(): void {
    // Nothing to take away.
  }

  #write(text: string): void {
    if (this.stream.writable) this.stream.write(`${clean(text)}\n`);
  }
}

class LiveProgress implements CliProgress {
  #current: { readonly text: string; readonly since: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastNote = '';

  constructor(
    private readonly stream: OutputStream,
    private readonly page: Page,
  ) {}

  step(text: string): void {
    this.#current = { text: clean(text), since: Date.now() };
    this.#timer ??= setInterval(() => this.#draw(), TICK_MS).unref();
    this.#draw();
  }

  done(text: string): void {
    if (this.#current?.text === clean(text)) this.#current = undefined;
    this.#keep(`${this.page.paint('good', '✓')} ${clean(text)}`);
  }

  note(text: string): void {
    if (text !== this.#lastNote) this.#keep(this.page.paint('faint', `  ${clean(text)}`));
    this.#lastNote = text;
  }

  clear(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (this.#current !== undefined) this.stream.write(CLEAR_LINE);
    this.#current = undefined;
  }

  #keep(line: string): void {
    this.stream.write(`${CLEAR_LINE}${line}\n`);
    this.#draw();
  }

  #draw(): void {
    if (this.#current === undefined) return;
    const seconds = Math.floor((Date.now() - this.#current.since) / 1_000);
    const text = `… ${this.#current.text}${seconds < 1 ? '' : ` (${String(seconds)} s)`}`;
    this.stream.write(CLEAR_LINE + cut(text, this.page.width - 1));
  }
}
