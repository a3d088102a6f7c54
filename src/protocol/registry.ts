import type { Environment } from './environment.js';
import { LOCKER_NAME, LOCKER_PORT } from './environment.js';

/**
 * The table of protocol v1.0, x5 ports included: ten Standard Environments and two Secure ones. It is what nexus3 runs
 * when there is no nexus3.yaml.
 */
export const PROTOCOL_REGISTRY: readonly Environment[] = [
  { name: 'user', kind: 'secure', vaultPort: 6610 },
  { name: 'workflow', kind: 'standard', vaultPort: 6615 },
  { name: 'context', kind: 'standard', vaultPort: 6620 },
  { name: 'kb', kind: 'standard', vaultPort: 6625 },
  { name: 'contact', kind: 'standard', vaultPort: 6630 },
  { name: 'links', kind: 'standard', vaultPort: 6635 },
  { name: 'track', kind: 'standard', vaultPort: 6640 },
  { name: 'session', kind: 'standard', vaultPort: 6645 },
  { name: 'transcripts', kind: 'standard', vaultPort: 6660 },
  { name: 'web', kind: 'standard', vaultPort: 6670 },
  { name: 'chrono', kind: 'standard', vaultPort: 6680 },
  { name: LOCKER_NAME, kind: 'secure', vaultPort: LOCKER_PORT },
];
