/** What restic prints with --json, a document a line. Whatever is not as expected is passed over. Pure. */

/** How far a run has come, from 0 to 1. */
export function parseStatus(line: string): number | undefined {
  const message = parse(line);
  if (message?.['message_type'] !== 'status') return undefined;
  const fraction = message['percent_done'];
  return typeof fraction === 'number' && fraction >= 0 && fraction <= 1 ? fraction : undefined;
}

export function parseSummary(line: string): { readonly snapshot: string; readonly bytesAdded: number } | undefined {
  const message = parse(line);
  if (message?.['message_type'] !== 'summary') return undefined;
  const { snapshot_id: snapshot, data_added: bytesAdded } = message;
  if (typeof snapshot !== 'string' || typeof bytesAdded !== 'number') return undefined;
  return { snapshot, bytesAdded };
}

/** A plain file of a snapshot. */
export interface StoredFile {
  /** From the snapshot's root: `/track/history/…`. */
  readonly path: string;
  readonly bytes: number;
}

export function parseFile(line: string): StoredFile | undefined {
  const node = parse(line);
  if (node?.['type'] !== 'file') return undefined;
  // An empty file has no size here.
  const { path, size: bytes = 0 } = node;
  return typeof path === 'string' && typeof bytes === 'number' ? { path, bytes } : undefined;
}

/** Ids of snapshots, newest first. @param text one array */
export function parseSnapshots(text: string): readonly string[] {
  const list: unknown = JSON.parse(text);
  if (!Array.isArray(list)) return [];
  return list
    .flatMap((one: unknown) => {
      if (typeof one !== 'object' || one === null || !('id' in one) || !('time' in one)) return [];
      const { id, time } = one;
      return typeof id === 'string' && /^[0-9a-f]{64}$/.test(id) && typeof time === 'string' ? [{ id, time }] : [];
    })
    .sort((a, b) => Date.parse(b.time) - Date.parse(a.time))
    .map(({ id }) => id);
}

function parse(line: string): Readonly<Record<string, unknown>> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
