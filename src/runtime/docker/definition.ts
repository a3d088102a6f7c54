/** How a container is made from its spec. Pure; what is decided here is compared with what is there by compare.ts. */
import { createHash } from 'node:crypto';
import type { ContainerCreateOptions } from 'dockerode';
import { instanceKey } from '../../protocol/environment.js';
import { CONFIG_FILE } from '../../protocol/layout.js';
import type { InstanceSpec } from '../runtime.js';
import { STOP_GRACE_MS } from '../runtime.js';

/** Where the falkordb/falkordb image keeps its data and its module. */
export const DATA_DIR = '/var/lib/falkordb/data';
export const MODULE_PATH = '/var/lib/falkordb/bin/falkordb.so';
/** Where the rendered folder is mounted. */
export const CONFIG_DIR = '/nexus3';
/** What Redis listens on in its container, whatever is published on the host. */
export const CONTAINER_PORT = 6379;
export const PORT_KEY = `${String(CONTAINER_PORT)}/tcp`;

/** `track/vault`: whose container this is. Without it a container is foreign. */
export const INSTANCE_LABEL = 'nexus3.instance';
/** Fingerprint of the definition it was made from. */
export const SPEC_LABEL = 'nexus3.spec';

export const RESTART_POLICY = 'unless-stopped';

const HEALTH_INTERVAL_MS = 30_000;
const HEALTH_TIMEOUT_MS = 5_000;
const HEALTH_RETRIES = 3;
/** Redis logs little; a crash loop logs much. */
export const LOG_LIMITS = { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '3' } } as const;
/** For redis-cli and shells; Redis itself writes to the data folder only. */
export const TMPFS_OPTIONS = 'rw,noexec,nosuid,nodev,size=64m';
const NANOSECONDS_PER_MS = 1_000_000;

export interface ContainerUser {
  readonly uid: number;
  readonly gid: number;
}

/**
 * Everything that Docker is told. The shell that runs `start` becomes the server; nothing secret is in arguments, labels
 * or environment, because `docker inspect` shows them to anyone who may ask.
 */
export function containerDefinition(spec: InstanceSpec, user: ContainerUser): ContainerCreateOptions {
  const definition: ContainerCreateOptions = {
    name: spec.name,
    Image: spec.image,
    Entrypoint: ['/bin/sh', `${CONFIG_DIR}/${CONFIG_FILE.start}`],
    Cmd: [],
    User: formatUser(user),
    // Ours, so that `docker stop` by hand also leaves the time to save.
    StopTimeout: STOP_GRACE_MS / 1000,
    ExposedPorts: { [PORT_KEY]: {} },
    Healthcheck: {
      Test: ['CMD', '/bin/sh', `${CONFIG_DIR}/${CONFIG_FILE.health}`],
      Interval: HEALTH_INTERVAL_MS * NANOSECONDS_PER_MS,
      Timeout: HEALTH_TIMEOUT_MS * NANOSECONDS_PER_MS,
      Retries: HEALTH_RETRIES,
    },
    HostConfig: {
      NetworkMode: spec.network,
      RestartPolicy: { Name: RESTART_POLICY },
      // Folders, not files: a file mounted alone hides a rename on the host and breaks ACL SAVE. As `Mounts`, because
      // with `Binds` Docker would make a missing data folder, empty and root's.
      Mounts: [
        { Type: 'bind', Source: spec.dataDir, Target: DATA_DIR },
        { Type: 'bind', Source: spec.configDir, Target: CONFIG_DIR, ReadOnly: true },
      ],
      PortBindings: { [PORT_KEY]: [{ HostIp: spec.bind, HostPort: String(spec.port) }] },
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      Tmpfs: { '/tmp': TMPFS_OPTIONS },
      // Names are looked up on the server's main thread: with Docker's defaults a lookup that nobody answers stalls
      // every reader for 10 s.
      DnsOptions: ['timeout:1', 'attempts:1'],
      LogConfig: LOG_LIMITS,
    },
  };
  const labels = { [INSTANCE_LABEL]: instanceKey(spec.id), [SPEC_LABEL]: fingerprint(definition) };
  return { ...definition, Labels: labels };
}

/** `6379:6379` */
export function formatUser({ uid, gid }: ContainerUser): string {
  return `${String(uid)}:${String(gid)}`;
}

/** Keys are in the order in which they are written above, so equal definitions are equal text. */
function fingerprint(definition: ContainerCreateOptions): string {
  return createHash('sha256').update(JSON.stringify(definition)).digest('hex');
}
