/** What an operator may set for all environments or for one; everything else is decided by nexus3. */
export interface Settings {
  /** Bytes as text: `settings:` may say `512mb`, here it is `536870912`. 0, the default: no limit. */
  readonly maxmemory: string;
  /**
   * When a vault has its append-only file flushed to the disk: before each answer, once a second (the default), or when the
   * operating system sees fit. Locker's `no` counts as `everysec`.
   */
  readonly appendfsync: 'always' | 'everysec' | 'no';
  /** Snapshot points of the operational, as `seconds changes` pairs in one string; empty: none. `3600 1 300 100 60 10000` by default. */
  readonly save: string;
  /** Query threads of the graph module; undefined: the module's own choice (one a core). */
  readonly threads: number | undefined;
  /** Longest run of one graph query in milliseconds; undefined: no limit. */
  readonly queryTimeoutMs: number | undefined;
  /** Most graph queries that may wait for a thread; undefined: no limit. */
  readonly queryQueueMax: number | undefined;
  /**
   * How far an operational may be behind, in bytes of replication stream, before `replica-lag` is reported, and before a client
   * reads from the vault; 1,048,576 by default.
   */
  readonly lagBytesMax: number;
  /**
   * Whether a vault keeps the files of its history when it rewrites its append-only file. Not in `settings:`, but where
   * there is `backup:` in nexus3.yaml, because only `backup create` and `backup prune` bound what is kept.
   */
  readonly keepHistory: boolean;
}

export const DEFAULT_SETTINGS: Settings = {
  maxmemory: '0',
  appendfsync: 'everysec',
  save: '3600 1 300 100 60 10000',
  threads: undefined,
  queryTimeoutMs: undefined,
  queryQueueMax: undefined,
  lagBytesMax: 1_048_576,
  keepHistory: false,
};

/** Redis writes `1gb` as 1024³ and `1g` as 1000³; undefined for what is not a memory size. */
export function parseMemory(text: string): number | undefined {
  const match = /^(\d{1,15})(b|k|kb|m|mb|g|gb)?$/i.exec(text);
  if (match === null) return undefined;
  const units: Record<string, number> = { b: 1, k: 1e3, kb: 1024, m: 1e6, mb: 1024 ** 2, g: 1e9, gb: 1024 ** 3 };
  return Number(match[1]) * (units[(match[2] ?? 'b').toLowerCase()] ?? 1);
}
