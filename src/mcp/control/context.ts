/** What the care tools work on: a world composed for each call, closed when the call has ended. */
import type { Progress } from '../../progress.js';
import type { World } from '../../reconcile/world.js';

export interface ControlOptions {
  /** A world of its own for every call: nexus3.yaml may change while the server runs. */
  readonly compose: (progress: Progress) => Promise<World>;
  /** Of this package. */
  readonly version: string;
  /** Lines for people (stderr); none of them holds a secret. */
  readonly log?: (line: string) => void;
}

export class ControlContext implements AsyncDisposable {
  readonly version: string;

  constructor(private readonly options: ControlOptions) {
    this.version = options.version;
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.options.log?.('closed');
    return Promise.resolve();
  }
}
