/** A snapshot of a vault, taken as a replica takes it, without a file on the vault's disk. */
import type { Address } from '../protocol/redis-conf.js';
import type { Secret } from '../protocol/secret.js';

export interface SnapshotStream extends AsyncDisposable {
  readonly replication: { readonly id: string; readonly offset: number };
  readonly chunks: AsyncIterable<Buffer>;
}

export function streamSnapshot(vault: Address, password: Secret): Promise<SnapshotStream> {
  return Promise.reject(new Error(`not built yet: ${vault.host} ${String(password)}`));
}
