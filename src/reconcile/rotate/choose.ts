/** Which passwords of which environments are rotated. Pure. */
import type { ConfiguredEnvironment, Configuration } from '../../config/configuration.js';
import { Nexus3Error } from '../../errors.js';
import type { CredentialName } from '../../protocol/users.js';
import { isLocker, neededCredentials, refuseUnnamed, selectEnvironments } from '../desired.js';

/** How long old passwords stay accepted unless said otherwise: longer than a client needs to ask Locker again. */
export const GRACE_SECONDS_DEFAULT = 30;
export const GRACE_SECONDS_MAX = 86_400;

export interface RotateOptions {
  /** Empty only with `all`. */
  readonly envs: readonly string[];
  readonly all: boolean;
  /** Empty: all that the environment has. */
  readonly users: readonly CredentialName[];
  /** Undefined: GRACE_SECONDS_DEFAULT. One that is given also shortens the grace of a rotation that is under way. */
  readonly graceSeconds: number | undefined;
  readonly dryRun: boolean;
}

export interface Chosen {
  readonly environment: ConfiguredEnvironment;
  readonly names: readonly CredentialName[];
}

/** Locker last: everybody's new passwords go through it. @throws ENVIRONMENT_UNKNOWN, USAGE */
export function chooseRotations(configuration: Configuration, options: RotateOptions): readonly Chosen[] {
  refuseUnnamed(options, 'rotate');
  const environments = selectEnvironments(configuration, options.envs);
  const chosen = [...environments.filter((one) => !isLocker(one)), ...environments.filter(isLocker)].map(
    (environment) => ({ environment, names: namesIn(environment, options.users) }),
  );
  if (options.all) return chosen.filter(({ names }) => names.length > 0);
  for (const { environment, names } of chosen) if (names.length === 0) throw hasNone(environment, options.users);
  return chosen;
}

function namesIn(environment: ConfiguredEnvironment, users: readonly CredentialName[]): readonly CredentialName[] {
  const all = neededCredentials(environment);
  if (users.length === 0) return all;
  return isLocker(environment) ? [] : all.filter((name) => users.includes(name));
}

function hasNone(environment: ConfiguredEnvironment, users: readonly CredentialName[]): Nexus3Error {
  if (isLocker(environment)) {
    return new Nexus3Error('USAGE', 'Locker’s own passwords change together; none of them can be chosen.', {
      hint: 'Leave --user out: nexus3 rotate locker',
    });
  }
  return new Nexus3Error('USAGE', `${environment.name} has no user ${users.join(', ')}.`, {
    evidence: [`its users: ${neededCredentials(environment).join(', ')}`],
    hint: 'A Secure Environment is a vault alone: nothing replicates it.',
  });
}

/**
 * What will be done, in the words of `--dry-run`.
 * @param underWay whose passwords a rotation that an earlier run has begun is about
 */
export function stepsOf(
  { environment, names }: Chosen,
  graceSeconds: number,
  underWay: readonly CredentialName[] = [],
): readonly string[] {
  if (underWay.length > 0) {
    const left = names.filter((name) => !underWay.includes(name));
    const complete = `complete the rotation of ${underWay.join(', ')} that is under way, when its grace is over`;
    return [complete, ...(left.length === 0 ? [] : stepsOf({ environment, names: left }, graceSeconds))];
  }
  const { name } = environment;
  const where = environment.kind === 'standard' ? `${name}/vault and ${name}/operational` : `${name}/vault`;
  const source = isLocker(environment) ? 'derive the next passwords from the root key' : 'make new passwords in Locker';
  return [
    `${source} for ${names.join(', ')}; the old ones stay in use`,
    `let ${where} accept both: files and users in force`,
    'hand out the new ones',
    ...(names.includes('replicator') ? ['let the operational connect again with its new password, and prove it'] : []),
    `wait ${String(graceSeconds)} s, while both are accepted`,
    `let ${where} accept the new ones only, and prove that the old ones are refused`,
  ];
}
