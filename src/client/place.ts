/** Where an environment's servers answer, and how to log in at its vault. */
import type { EnvironmentKind } from '../protocol/environment.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Login } from './driver.js';

export interface Place {
  readonly name: string;
  readonly kind: EnvironmentKind;
  readonly vault: Address;
  /** Undefined in a Secure Environment. */
  readonly operational: Address | undefined;
  /** From Locker, cached; asked before each connection. */
  login(): Promise<Login>;
  /** The vault refused that password: the next `login` reads it anew. */
  refused(): void;
  /** From nexus3.yaml; undefined where it is not known. */
  readonly lagBytesMax: number | undefined;
  /** Lets go of what `login` needs. */
  close(): Promise<void>;
}
