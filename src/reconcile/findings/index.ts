/** Every finding, in the order of docs/findings.md. To add one: a file beside this, a line here, a scenario in test/. */
import { backupMissing } from './backup-missing.js';
import { backupNotPushed } from './backup-not-pushed.js';
import { backupStale } from './backup-stale.js';
import { backupUnverified } from './backup-unverified.js';
import { configDrift } from './config-drift.js';
import { configVolatile } from './config-volatile.js';
import { credentialMissing } from './credential-missing.js';
import { credentialUnreadable } from './credential-unreadable.js';
import { defaultUserUnrestricted } from './default-user-unrestricted.js';
import { evictsData } from './evicts-data.js';
import { foreignInstance } from './foreign-instance.js';
import { historyOverBound } from './history-over-bound.js';
import { imageUnpinned } from './image-unpinned.js';
import { instanceCrashLooping } from './instance-crash-looping.js';
import { instanceMissing } from './instance-missing.js';
import { instanceStopped } from './instance-stopped.js';
import { instanceUnreachable } from './instance-unreachable.js';
import { linkDown } from './link-down.js';
import { moduleMissing } from './module-missing.js';
import { mountMismatch } from './mount-mismatch.js';
import { networkDetached } from './network-detached.js';
import { networkMissing } from './network-missing.js';
import { operationalNotReplica } from './operational-not-replica.js';
import { operationalWritable } from './operational-writable.js';
import { passwordOld } from './password-old.js';
import { passwordMismatch } from './password-mismatch.js';
import { persistenceFailing } from './persistence-failing.js';
import { portExposed } from './port-exposed.js';
import { portMismatch } from './port-mismatch.js';
import { recoveryKitMissing } from './recovery-kit-missing.js';
import { rekeyUnfinished } from './rekey-unfinished.js';
import { replicaLag } from './replica-lag.js';
import { replicaLoading } from './replica-loading.js';
import { restoreUnfinished } from './restore-unfinished.js';
import { rotationUnfinished } from './rotation-unfinished.js';
import { resetUnfinished } from './reset-unfinished.js';
import { secretsExposed } from './secrets-exposed.js';
import { vaultBehind } from './vault-behind.js';
import { vaultEmpty } from './vault-empty.js';
import { vaultNotDurable } from './vault-not-durable.js';
import { vaultNotMaster } from './vault-not-master.js';
import { vaultOpen } from './vault-open.js';
import { versionIncompatible } from './version-incompatible.js';
import { wrongMaster } from './wrong-master.js';
import type { Rule } from './rule.js';

export const RULES: readonly Rule[] = [
  foreignInstance,
  instanceMissing,
  instanceStopped,
  instanceCrashLooping,
  instanceUnreachable,
  networkMissing,
  networkDetached,
  portMismatch,
  mountMismatch,
  configDrift,
  configVolatile,
  portExposed,
  imageUnpinned,
  vaultOpen,
  defaultUserUnrestricted,
  secretsExposed,
  passwordMismatch,
  credentialMissing,
  credentialUnreadable,
  rotationUnfinished,
  passwordOld,
  vaultNotMaster,
  operationalNotReplica,
  operationalWritable,
  wrongMaster,
  linkDown,
  replicaLag,
  replicaLoading,
  vaultEmpty,
  vaultBehind,
  vaultNotDurable,
  evictsData,
  persistenceFailing,
  versionIncompatible,
  moduleMissing,
  rekeyUnfinished,
  resetUnfinished,
  recoveryKitMissing,
  restoreUnfinished,
  backupMissing,
  backupStale,
  backupUnverified,
  backupNotPushed,
  historyOverBound,
];
