/** An environment and its instances, as protocol v1.0 defines them. */

/** `standard`: a vault and its operational. `secure`: a vault alone. */
export type EnvironmentKind = 'standard' | 'secure';
/** `vault`: all writes, with a password. `operational`: its read-only replica, without one. */
export type Role = 'vault' | 'operational';

/** What is kept apart from all else: a vault, and in a Standard Environment its operational. */
export interface Environment {
  /** A lower-case letter, then up to 30 of lower-case letters, digits and hyphens. */
  readonly name: string;
  /** Of Locker always `secure`. */
  readonly kind: EnvironmentKind;
  /** Port of the vault on the host; the operational's is always the next one. */
  readonly vaultPort: number;
}

/** One server of an environment. */
export interface InstanceId {
  /** The environment's name. */
  readonly env: string;
  /** Which of its servers; always `vault` in a Secure Environment. */
  readonly role: Role;
}

/** `track/vault`: the one way an instance is written in keys, messages and JSON. */
export type InstanceKey = `${string}/${Role}`;

export function instanceKey(id: InstanceId): InstanceKey {
  return `${id.env}/${id.role}`;
}

export function rolesOf(environment: Environment): readonly Role[] {
  return environment.kind === 'standard' ? ['vault', 'operational'] : ['vault'];
}

export function instancesOf(environment: Environment): readonly InstanceId[] {
  return rolesOf(environment).map((role) => ({ env: environment.name, role }));
}

export function portOf(environment: Environment, role: Role): number {
  return role === 'vault' ? environment.vaultPort : environment.vaultPort + 1;
}

/** Environment names: a lower-case letter, then up to 30 of lower-case letters, digits and hyphens. */
export const ENVIRONMENT_NAME = /^[a-z][a-z0-9-]{0,30}$/;

export function isEnvironmentName(name: string): boolean {
  return ENVIRONMENT_NAME.test(name);
}

/** The environment that keeps everybody's credentials; implied by any configuration. */
export const LOCKER_NAME = 'locker';
export const LOCKER_PORT = 6720;
