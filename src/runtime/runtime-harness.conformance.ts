import type { Role } from '../protocol/environment.js';
import type { InstanceSpec, Runtime } from './runtime.js';

/** What an adapter's test file hands to the suite. The suite itself renders the folders and removes the instances. */
export interface RuntimeHarness {
  /** The runtime under test; the suite calls `ready()` and `ensureNetwork()` once, and `close()` at the end. */
  readonly runtime: Runtime;
  /** Another object over the same instances, as a later command would make it. The suite closes it. */
  secondRuntime(): Runtime;
  /**
   * A spec with a name, a port of this host and folders that nothing has used before. The folders need not exist: the
   * suite makes and renders them, with the owner that `newFolderOwner()` says.
   */
  freshSpec(role: Role): Promise<InstanceSpec>;
  /** The runtime itself starts a server again that was killed (docker's restart policy does). */
  readonly restartsKilledServers: boolean;
  /**
   * Puts something of that spec's name there that nexus3 did not make; absent where a runtime knows no such thing.
   * `isUntouched` says whether it is still as it was made; `discard` takes it away.
   */
  readonly makeForeign?: (spec: InstanceSpec) => Promise<ForeignInstance>;
  /** After everything: folders and whatever else the harness made. */
  cleanup(): Promise<void>;
}

export interface ForeignInstance {
  isUntouched(): Promise<boolean>;
  discard(): Promise<void>;
}
