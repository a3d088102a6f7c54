/** What `INFO replication persistence` says, and how two servers' places in the replication stream compare. Pure. */

/** A place in one history of writes. Offsets of two histories cannot be compared. */
export interface Position {
  /** `master_replid`: 40 hex digits; a vault that restarts with its append-only file begins another one. */
  readonly replid: string;
  /** Bytes of replication stream that are done. */
  readonly offset: number;
}

export interface Replication {
  readonly role: 'master' | 'replica';
  readonly position: Position;
  /** Of a replica: connected to its master. */
  readonly linkUp: boolean;
  /** For how many seconds it has not been; 0 while it is. */
  readonly linkDownSeconds: number;
  /** It is reading a data set, and answers -LOADING. */
  readonly loading: boolean;
}

/** For `client.sendCommand`. */
export const ASK_REPLICATION: readonly string[] = ['INFO', 'replication', 'persistence'];

/** Undefined for what is no such answer. */
export function parseReplication(text: string): Replication | undefined {
  const fields = new Map<string, string>();
  for (const line of text.split('\n')) {
    const colon = line.indexOf(':');
    if (colon > 0) fields.set(line.slice(0, colon), line.slice(colon + 1).trim());
  }
  const replid = fields.get('master_replid');
  const isMaster = fields.get('role') === 'master';
  const offset = Number(fields.get(isMaster ? 'master_repl_offset' : 'slave_repl_offset') ?? Number.NaN);
  if (replid === undefined || !Number.isSafeInteger(offset)) return undefined;
  return {
    role: isMaster ? 'master' : 'replica',
    position: { replid, offset },
    linkUp: fields.get('master_link_status') === 'up',
    linkDownSeconds: Math.max(0, Number(fields.get('master_link_down_since_seconds') ?? 0)) || 0,
    loading: fields.get('loading') === '1' || fields.get('master_sync_in_progress') === '1',
  };
}

export function hasReached(at: Position, wanted: Position): boolean {
  return at.replid === wanted.replid && at.offset >= wanted.offset;
}

/** Bytes that `replica` lacks of what `vault` had done; undefined where they do not share a history. */
export function lagBytes(vault: Position, replica: Position): number | undefined {
  return vault.replid === replica.replid ? Math.max(0, vault.offset - replica.offset) : undefined;
}
