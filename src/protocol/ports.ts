/** Ports: which are allowed, who holds which, and the next free pair. Pure. */
import type { Environment, InstanceKey } from './environment.js';
import { instanceKey, instancesOf, portOf } from './environment.js';

/** The lowest and highest port an instance may have. The vault's highest leaves room for its operational. */
export const PORT_MIN = 1024;
export const PORT_MAX = 65534;

export interface PortClash {
  readonly port: number;
  readonly first: InstanceKey;
  readonly second: InstanceKey;
}

export function isPort(port: number): boolean {
  return Number.isInteger(port) && port >= PORT_MIN && port <= PORT_MAX;
}

/** True where a vault at `port`, and its operational where it has one, stay within the allowed range. */
export function fitsPortRange(environment: Environment): boolean {
  return instancesOf(environment).every(({ role }) => isPort(portOf(environment, role)));
}

/** Every port that two instances would share. */
export function portClashes(environments: readonly Environment[]): readonly PortClash[] {
  const holders = new Map<number, InstanceKey>();
  const clashes: PortClash[] = [];
  for (const environment of environments) {
    for (const id of instancesOf(environment)) {
      const port = portOf(environment, id.role);
      const first = holders.get(port);
      if (first === undefined) holders.set(port, instanceKey(id));
      else clashes.push({ port, first, second: instanceKey(id) });
    }
  }
  return clashes;
}

/**
 * The next free vault port for a new environment: 66X0 first (6600 … 6690), then 6700, 6710 … 6990, as protocol v1.0
 * numbers them. The pair is reserved whole, also for a Secure Environment. Undefined when every pair is taken.
 *
 * @param alsoTaken ports that something else on this host holds.
 */
export function nextVaultPort(
  environments: readonly Environment[],
  alsoTaken: ReadonlySet<number> = new Set(),
): number | undefined {
  const taken = new Set(alsoTaken);
  for (const environment of environments) {
    taken.add(environment.vaultPort);
    taken.add(environment.vaultPort + 1);
  }
  for (let port = 6600; port <= 6990; port += 10) {
    if (!taken.has(port) && !taken.has(port + 1)) return port;
  }
  return undefined;
}
