/** A commented nexus3.yaml to begin with. */
import { link, rm } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Nexus3Error, systemErrorCode, writeFailure } from '../errors.js';
import { makeFolder, syncFolder, writeFileWhole } from '../files.js';
import type { Environment } from '../protocol/environment.js';
import { LOCKER_NAME, LOCKER_PORT } from '../protocol/environment.js';
import { PROTOCOL_REGISTRY } from '../protocol/registry.js';
import type { RuntimeName } from '../runtime/runtime.js';
import type { Surroundings } from './locate.js';
import { CONFIG_FILE_NAME, processSurroundings } from './locate.js';
import { DEFAULTS } from './schema.js';

export interface ConfigFileValues {
  readonly runtime: RuntimeName;
  /** Undefined: the default, shown as a comment. */
  readonly dataRoot: string | undefined;
  readonly environments: readonly Environment[];
}

export interface InitOptions {
  readonly runtime?: RuntimeName | undefined;
  readonly dataRoot?: string | undefined;
  /** No environments but Locker, instead of those of protocol v1.0. */
  readonly empty?: boolean;
  /** Where to write it, relative to the current folder; `nexus3.yaml` there by default. */
  readonly config?: string | undefined;
}

/**
 * Writes the file and returns its absolute path. An existing one is never replaced, also when two run at once.
 * @throws Nexus3Error CONFIG_EXISTS, FILE_NOT_WRITABLE, DISK_FULL
 */
export async function writeNewConfigFile(
  options: InitOptions,
  surroundings: Surroundings = processSurroundings(),
): Promise<string> {
  const path = resolve(surroundings.cwd, options.config ?? CONFIG_FILE_NAME);
  const text = renderConfigFile({
    runtime: options.runtime ?? DEFAULTS.runtime,
    dataRoot: options.dataRoot === undefined ? undefined : resolve(surroundings.cwd, options.dataRoot),
    environments: options.empty === true ? [] : PROTOCOL_REGISTRY,
  });
  const draft = `${path}.${String(process.pid)}.draft`;
  await makeFolder(dirname(path), { mode: 0o755 });
  try {
    await writeFileWhole(draft, text, { mode: 0o644 });
    await link(draft, path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (systemErrorCode(error) !== 'EEXIST') throw writeFailure(path, error);
    throw new Nexus3Error('CONFIG_EXISTS', `${path} exists already.`, {
      hint: 'Edit it, remove it, or write another one with `nexus3 init --config FILE`.',
    });
  } finally {
    await rm(draft, { force: true });
  }
  return path;
}

/** Pure. */
export function renderConfigFile({ runtime, dataRoot, environments }: ConfigFileValues): string {
  const dataRootShown = dataRoot ?? (runtime === 'docker' ? '/data/nexus3' : '~/.local/share/nexus3');
  const dataRootLine =
    dataRoot === undefined ? `# dataRoot: ${dataRootShown}` : `dataRoot: ${JSON.stringify(dataRoot)}`;
  const listed = environments.filter(({ name }) => name !== LOCKER_NAME);
  const locker = environments.find(({ name }) => name === LOCKER_NAME);
  return `# What nexus3 runs on this host. \`nexus3 check\` compares it with what is there; \`nexus3 up\` makes it so.
version: 1

# Either process (local servers that outlive the command, no Docker) or docker (containers on the local Docker engine).
runtime: ${runtime}

# Where the data lie, a folder for each environment. Relative to this file's folder.
${dataRootLine}

# Only for docker:
# network: ${DEFAULTS.network}
# image: ${DEFAULTS.image}          # name a version, so that an update is your decision
# containerPrefix: ${DEFAULTS.containerPrefix}                    # nexus3-track-vault, nexus3-track-operational

# Only for process; found by itself otherwise (\`nexus3 engine find\` says where):
# engine: /usr/bin/redis-server
# module: /usr/lib/falkordb.so

# The address that ports are published on. Anything but loopback is reported as port-exposed.
# bind: ${DEFAULTS.bind}

# How many entries Locker’s audit keeps; the oldest go first (\`nexus3 locker audit\`).
# audit:
#   entriesMax: ${String(DEFAULTS.audit.entriesMax)}

# For all environments; one environment may have a \`settings:\` of its own.
# settings:
#   maxmemory: 0                           # bytes, or with kb, mb, gb; 0: no limit
#   appendfsync: everysec                  # always | everysec | no, of the vault
#   save: "3600 1 300 100 60 10000"        # snapshots of the operational: pairs of seconds and changes
#   threads: 4                             # query threads of the graph module; one a core by default
#   queryTimeoutMs: 1000                   # longest graph query, in milliseconds; no limit by default
#   queryQueueMax: 25                      # most graph queries waiting for a thread; no limit by default
#   lagBytesMax: 1mb                       # how far an operational may be behind before it is reported

# When passwords are reported as password-old; \`nexus3 rotate\` replaces them. Off by default.
# rotation: { maxAgeDays: 90 }

# How backups are kept (docs/backups.md). With this, \`check\` says backup-missing, backup-stale and backup-unverified, and vaults keep
# the history that \`nexus3 restore ENV --at TIME\` needs. \`backup:\` alone is enough.
# backup:
#   root: ${dataRoot === undefined ? `${dataRootShown}-backups` : JSON.stringify(`${dataRoot}-backups`)}
#   schedule: "0 3 * * *"                  # for \`nexus3 backup create --all --due\`, run by a timer; this host’s time
#   staleAfterHours: 48                    # twice the longest gap of the schedule unless given
#   unverifiedAfterHours: 168
#   encrypt: false                         # true: for the root key; recipients can open it, too, and imply true
#   recipients: []                         # as age-keygen prints its public key: ["age1…"]
#   keep: { last: 3, hourly: 0, daily: 7, weekly: 4, monthly: 6 }
#   historyBytesMax: 1gb                   # of one environment, on the vault’s disk and again beside its backups
#   target:                                # off this machine, with restic
#     repository: sftp:backup@example.org:/nexus3
#     environmentFile: restic.env          # its secrets, NAME=value; only you may read it

# A name, and the port of its vault; the operational has the port after it. \`kind: secure\`: a vault alone.
# Locker, which keeps the passwords, is implied on port ${String(LOCKER_PORT)}.
environments:${listed.length === 0 && locker === undefined ? ' {}' : ''}
${listed.map(formatLine).join('')}${locker === undefined ? '' : formatLine(locker)}`;
}

function formatLine({ name, kind, vaultPort }: Environment): string {
  const label = `${name}:`.padEnd(13);
  return `  ${label}{ vault: ${String(vaultPort)}${kind === 'secure' ? ', kind: secure' : ''} }\n`;
}
