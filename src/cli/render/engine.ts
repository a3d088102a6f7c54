/** An engine in words and in JSON. Pure. */
import { formatModuleVersion } from '../../protocol/engine-record.js';
import type { FoundEngine } from '../operations.js';

export interface EngineDocument {
  readonly strategy: string;
  readonly kind: string;
  readonly version: string;
  readonly moduleVersion: string | null;
  readonly command: readonly string[];
  readonly modulePath: string | null;
}

export function engineDocument(engine: FoundEngine): EngineDocument {
  const { strategy, kind, version, graphModule, command, modulePath } = engine;
  return {
    strategy,
    kind,
    version,
    moduleVersion: graphModule === 0 ? null : formatModuleVersion(graphModule),
    command,
    modulePath: modulePath ?? null,
  };
}

/** `redis 8.2.3 with graph module 4.16.3 (/usr/bin/redis-server)` */
export function engineWords(engine: FoundEngine): string {
  const { kind, version, moduleVersion, command } = engineDocument(engine);
  const module = moduleVersion === null ? 'WITHOUT the graph module' : `with graph module ${moduleVersion}`;
  return `${kind} ${version} ${module} (${command.at(-1) ?? ''})`;
}
