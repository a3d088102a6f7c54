/** What a scratch server says of restored data, beside the vault that still serves. */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { EngineVersion } from '../../protocol/engine-record.js';
import type { ContentCounts } from '../../redis/observation.js';
import type { World } from '../world.js';

export function engineAtHand(_world: World, environment: ConfiguredEnvironment): Promise<EngineVersion> {
  return Promise.reject(new Error(`not built yet: ${environment.name}`));
}

export function loadStaged(_world: World, environment: ConfiguredEnvironment): Promise<ContentCounts> {
  return Promise.reject(new Error(`not built yet: ${environment.name}`));
}
