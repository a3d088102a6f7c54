/** Progress of one call, told to the client that asked for it: bounded, and never the reason why a call fails. */
import type { ServerContext } from '@modelcontextprotocol/server';
import type { Progress } from '../progress.js';

/** Between two notifications, in milliseconds: a plan of a thousand actions does not send a thousand of them. */
const NOTIFY_EVERY_MS = 100;
/** A client that waits for the next one learns so often that there is still work, in milliseconds. */
const STILL_AT_WORK_MS = 5_000;
const MESSAGE_CHARS_MAX = 300;

export class CallProgress implements Progress, Disposable {
  #sent = 0;
  #sentAt = -NOTIFY_EVERY_MS;
  #text = '';
  readonly #timer: NodeJS.Timeout | undefined;
  #next: NodeJS.Timeout | undefined;

  constructor(private readonly mcpReq: ServerContext['mcpReq']) {
    if (mcpReq._meta?.progressToken === undefined) return;
    this.#timer = setInterval(() => {
      this.#send();
    }, STILL_AT_WORK_MS).unref();
  }

  step(text: string): void {
    this.#tell(text);
  }

  done(text: string): void {
    this.#tell(`done: ${text}`);
  }

  note(text: string): void {
    this.#tell(text);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    clearTimeout(this.#next);
  }

  #tell(text: string): void {
    this.#text = text.slice(0, MESSAGE_CHARS_MAX);
    if (this.#timer === undefined || this.#next !== undefined) return;
    const dueInMs = this.#sentAt + NOTIFY_EVERY_MS - performance.now();
    if (dueInMs <= 0) this.#send();
    // Of several in a row, the last one is what is being done.
    else this.#next = setTimeout(() => this.#send(), dueInMs).unref();
  }

  #send(): void {
    const progressToken = this.mcpReq._meta?.progressToken;
    clearTimeout(this.#next);
    this.#next = undefined;
    if (progressToken === undefined || this.mcpReq.signal.aborted) return;
    this.#sentAt = performance.now();
    this.#sent += 1;
    const params = { progressToken, progress: this.#sent, message: this.#text };
    // Who does not hear it any more has gone away, and its call is aborted.
    this.mcpReq.notify({ method: 'notifications/progress', params }).catch(() => undefined);
  }
}
