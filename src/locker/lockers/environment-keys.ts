/** The keys of `l_e0dd`: `track.default` is the password of the user `default` of the environment track. Pure. */
import { Nexus3Error } from '../../errors.js';
import { ENVIRONMENT_NAME, LOCKER_NAME } from '../../protocol/environment.js';
import { CREDENTIAL_NAMES, type CredentialName } from '../../protocol/users.js';
import { ENVIRONMENTS_LOCKER } from '../keys.js';
import { ROTATION_FIELD } from '../rotation-field.js';
import type { SealedHash } from '../sealed-hash.js';
import type { Suggest } from './shelf.js';
import { shown } from './words.js';

export interface EnvironmentKey {
  readonly env: string;
  readonly name: CredentialName;
}

/** What the configuration says of the environments; Locker itself is not among them. */
export interface LockerEnvironments {
  readonly needed: ReadonlyMap<string, readonly CredentialName[]>;
}

export class EnvironmentKeys {
  readonly #needed: LockerEnvironments['needed'];
  readonly #suggest: Suggest;

  constructor({ needed }: LockerEnvironments, suggest: Suggest) {
    this.#needed = needed;
    this.#suggest = suggest;
  }

  /** Undefined: not of that form. The environment may be one that is not configured (any more). */
  parse(key: string): EnvironmentKey | undefined {
    const dot = key.indexOf('.');
    const env = key.slice(0, Math.max(0, dot));
    const name = CREDENTIAL_NAMES.find((one) => one === key.slice(dot + 1));
    return name === undefined || !ENVIRONMENT_NAME.test(env) ? undefined : { env, name };
  }

  isConfigured(env: string): boolean {
    return this.#needed.has(env);
  }

  /** Why it cannot be given a value; undefined: it can. */
  mistakeInSet(key: string): string | undefined {
    const [env = ''] = key.split('.');
    if (env === LOCKER_NAME) {
      return `${shown(key)}: Locker’s own passwords come from the root key; nexus3 rotate locker replaces them`;
    }
    const needed = this.#needed.get(env);
    if (needed === undefined) {
      const near = this.#suggest(env, [...this.#needed.keys()]);
      return `${shown(key)}: there is no environment ${shown(env)}${near}; a key here is ENVIRONMENT.USER, like track.default`;
    }
    const name = key.slice(env.length + 1);
    if (needed.some((one) => one === name)) return undefined;
    return `${shown(key)}: ${env} has no user ${shown(name)}${this.#suggest(name, needed)}; it has ${needed.join(', ')}`;
  }

  /** Why it cannot be deleted; undefined: it can. */
  mistakeInDelete(key: string): string | undefined {
    const parsed = this.parse(key);
    if (parsed === undefined) return `${shown(key)}: a key here is ENVIRONMENT.USER, like track.default`;
    if (!this.isConfigured(parsed.env)) return undefined;
    return `${key}: ${parsed.env} is configured and needs it; nexus3 rotate ${parsed.env} replaces it, and nexus3 remove ${parsed.env} takes the environment away`;
  }

  /** @throws Nexus3Error LOCKER_ROTATING while a rotation of a configured environment is under way */
  refuseRotating(env: string, hash: SealedHash): void {
    if (!this.isConfigured(env) || !hash.fields.has(ROTATION_FIELD)) return;
    throw new Nexus3Error('LOCKER_ROTATING', `A rotation of ${env} is under way; nothing was changed.`, {
      evidence: [`${ENVIRONMENTS_LOCKER.id}: ${env} has passwords that are being replaced`],
      hint: `Finish it first: nexus3 rotate ${env}`,
    });
  }
}
