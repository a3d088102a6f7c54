import type { Progress } from '../../progress.js';

/** Keeps the words of each step, and passes them on. */
export class Steps implements Progress {
  readonly taken: string[] = [];

  /** @param prefix before each of them where several run at once: `track: ` */
  constructor(
    private readonly progress: Progress,
    private readonly prefix = '',
  ) {}

  step(text: string): void {
    this.progress.step(this.prefix + text);
  }

  done(text: string): void {
    this.taken.push(text);
    this.progress.done(this.prefix + text);
  }

  note(text: string): void {
    this.progress.note(this.prefix + text);
  }
}
