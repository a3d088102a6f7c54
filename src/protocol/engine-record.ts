/** Which engine wrote a data folder, as recorded in `config/{role}/engine`, and whether another one can read it. Pure. */

export type EngineKind = 'redis' | 'valkey';

export interface EngineVersion {
  readonly kind: EngineKind;
  /** `8.2.3` */
  readonly version: string;
  /** The graph module's number, e.g. 41603 for 4.16.3; 0 when it is not loaded. */
  readonly graphModule: number;
}

/** `KIND VERSION MODULE`, one line: the start script reads the first two words. */
export function renderEngineRecord(engine: EngineVersion): string {
  return `${engine.kind} ${engine.version} ${String(engine.graphModule)}\n`;
}

export function parseEngineRecord(text: string): EngineVersion | undefined {
  const match = /^(redis|valkey) (\d+\.\d+\.\d+\S*) (\d+)\n?$/.exec(text);
  if (match === null) return undefined;
  return { kind: match[1] === 'valkey' ? 'valkey' : 'redis', version: match[2] ?? '', graphModule: Number(match[3]) };
}

/** 4.16.3 for 41603. */
export function formatModuleVersion(graphModule: number): string {
  return [Math.floor(graphModule / 10_000), Math.floor(graphModule / 100) % 100, graphModule % 100].join('.');
}

/**
 * True where `reader` can load, or replicate from, what `writer` wrote. RDB files and graph encodings are readable by
 * the same or a newer release only; across kinds they part ways after Redis 7.2; 4.x and 6.x of the graph module never
 * mix in one replication group.
 */
export function canRead(reader: EngineVersion, writer: EngineVersion): boolean {
  if (reader.kind !== writer.kind) return false;
  if (compareVersions(reader.version, writer.version) < 0) return false;
  if (writer.graphModule === 0) return true;
  if (reader.graphModule < writer.graphModule) return false;
  return Math.floor(reader.graphModule / 10_000) === Math.floor(writer.graphModule / 10_000);
}

/** By major and minor: patch releases do not change the format. */
function compareVersions(a: string, b: string): number {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor - bMajor || aMinor - bMinor;
}
