/** The one renderer: a result goes to stdout, as JSON or as lines for people; everything else goes to stderr. */
import type { Surroundings } from '../config/locate.js';
import type { OutputStream } from './io.js';
import { wantsColor, widthOf } from './io.js';
import type { Page } from './render/paint.js';
import { makePaint } from './render/paint.js';

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly noColor: boolean;
}

export class Output {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly page: Page;
  readonly errorPage: Page;
  readonly #stdout: OutputStream;
  readonly #stderr: OutputStream;
  readonly #gone = new WeakSet<OutputStream>();
  #beforeWrite: () => void = () => undefined;

  constructor(
    streams: { readonly stdout: OutputStream; readonly stderr: OutputStream },
    env: Surroundings['env'],
    { json, quiet, noColor }: OutputOptions,
  ) {
    this.json = json;
    this.quiet = quiet;
    this.#stdout = streams.stdout;
    this.#stderr = streams.stderr;
    const pageFor = (stream: OutputStream): Page => ({
      width: widthOf(stream, env),
      paint: makePaint(wantsColor(stream, env, noColor)),
      quiet,
    });
    for (const stream of [streams.stdout, streams.stderr]) this.#watch(stream);
    this.page = pageFor(streams.stdout);
    this.errorPage = pageFor(streams.stderr);
  }

  /** A reader that went away (`nexus3 status | head -1`) ends the writing, never the work: a repair goes on. */
  get readerGone(): boolean {
    return this.#gone.has(this.#stdout);
  }

  /** Called before anything is written, so that a progress line can make way. */
  onBeforeWrite(callback: () => void): void {
    this.#beforeWrite = callback;
  }

  /** The command's one result. The lines are only made when they are shown. */
  result(schema: string, document: object, lines: (page: Page) => readonly string[]): void {
    if (this.json) this.#write(this.#stdout, `${JSON.stringify({ schema, ...document }, null, 2)}\n`);
    else this.lines(lines(this.page));
  }

  /** Lines for people on stdout; nothing under --json. */
  lines(lines: readonly string[]): void {
    if (!this.json && lines.length > 0) this.#write(this.#stdout, `${lines.join('\n')}\n`);
  }

  /** Lines for people on stderr. */
  say(lines: readonly string[]): void {
    if (lines.length > 0) this.#write(this.#stderr, `${lines.join('\n')}\n`);
  }

  /** Text as it is, on stdout, also under --json: what was asked for is not a document. */
  text(text: string): void {
    this.#write(this.#stdout, text.endsWith('\n') ? text : `${text}\n`);
  }

  #watch(stream: OutputStream): void {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      this.#gone.add(stream);
      if (error.code !== 'EPIPE' && stream === this.#stdout) this.say([`stdout cannot be written: ${error.message}`]);
    });
  }

  #write(stream: OutputStream, text: string): void {
    this.#beforeWrite();
    if (!this.#gone.has(stream) && stream.writable) stream.write(text);
  }
}
