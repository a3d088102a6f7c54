/** What is archived, as recordings that can be read from. */
import { type ArchivedWrites, type ArchiveIndex, endOf, type Part } from './archive-index.js';
import { readPart } from './part-file.js';
import type { RecordedFile, Recording } from './recording.js';
import type { Sealing } from '../sealing.js';

/** One for each stretch. */
export function archivedRecordings(folder: string, index: ArchiveIndex, sealing: Sealing): readonly Recording[] {
  const open = (parts: readonly Part[]) => (): Promise<RecordedFile> =>
    Promise.resolve({
      chunks: oneAfterTheOther(folder, parts, sealing),
      [Symbol.asyncDispose]: () => Promise.resolve(),
    });
  return index.stretches.flatMap(({ coveredTo, certainFrom, bases, writes }, order) => {
    if (coveredTo === undefined) return [];
    return [
      {
        source: 'archive' as const,
        since: index.since,
        order,
        coveredTo,
        certainFrom,
        bases: bases.map((base) => ({ ...base, open: open([base]) })),
        writes: writes.map((each) => ({ ...recorded(each), open: open(each.ranges) })),
      },
    ];
  });
}

function recorded(writes: ArchivedWrites): { name: string; seq: number; bytes: number; first: number | undefined } {
  return { name: writes.name, seq: writes.seq, bytes: endOf(writes), first: writes.first };
}

async function* oneAfterTheOther(folder: string, parts: readonly Part[], sealing: Sealing): AsyncGenerator<Buffer> {
  for (const part of parts) yield* readPart(folder, part, sealing);
}
