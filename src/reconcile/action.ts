/** What a plan may do. Pure data: printed by `--dry-run`, hashed into the plan id, carried out by apply.ts. */
import type { InstanceId } from '../protocol/environment.js';
import type { CredentialName } from '../protocol/users.js';
import type { FindingCode } from './finding.js';

export type Action =
  | { readonly kind: 'create-network' }
  | { readonly kind: 'connect-network'; readonly on: InstanceId }
  /** Generate what Locker lacks for this environment, durable there before anything else uses it. */
  | { readonly kind: 'generate-credentials'; readonly env: string; readonly names: readonly CredentialName[] }
  /** Replace one credential, because it was exposed, and put the new one in force everywhere. */
  | { readonly kind: 'rotate-credential'; readonly env: string; readonly name: CredentialName }
  /** Write redis.conf, users.acl, start and health as they should be. */
  | { readonly kind: 'render'; readonly on: InstanceId }
  | { readonly kind: 'create'; readonly on: InstanceId }
  | { readonly kind: 'start'; readonly on: InstanceId }
  | { readonly kind: 'restart'; readonly on: InstanceId }
  /** Remove and create again from the spec; the folders stay. */
  | { readonly kind: 'recreate'; readonly on: InstanceId }
  /** ACL LOAD: the rendered users, and no others, are in force. */
  | { readonly kind: 'load-users'; readonly on: InstanceId }
  | { readonly kind: 'set-config'; readonly on: InstanceId; readonly name: string; readonly value: string }
  /** REPLICAOF NO ONE on a vault. */
  | { readonly kind: 'promote-vault'; readonly on: InstanceId }
  /** Replication credential and REPLICAOF to the vault on an operational. */
  | { readonly kind: 'attach'; readonly on: InstanceId }
  /** Wait until the operational is linked and within the lag bound. */
  | { readonly kind: 'wait-for-link'; readonly on: InstanceId };

export interface PlannedAction {
  readonly action: Action;
  /** One sentence for a person: `restart track/operational`. */
  readonly summary: string;
  /** The finding it repairs. */
  readonly because: FindingCode;
}

export interface Plan {
  /** `p_` and 12 hex digits over the actions: the same findings give the same id. Undefined for an empty plan. */
  readonly id: string | undefined;
  readonly actions: readonly PlannedAction[];
}
