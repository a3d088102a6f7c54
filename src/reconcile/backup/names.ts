/** Whose backups a command is about. One that has backups need not be in nexus3.yaml any more. */
import { selectEnvironments } from '../desired.js';
import type { World } from '../world.js';

/** @param envs empty: all that have a backup @throws Nexus3Error ENVIRONMENT_UNKNOWN */
export async function namesWithBackups(world: World, envs: readonly string[]): Promise<readonly string[]> {
  const kept = await world.backups.environments();
  if (envs.length === 0) return kept;
  const others = envs.filter((name) => !kept.includes(name));
  if (others.length > 0) selectEnvironments(world.configuration, others);
  return [...new Set(envs)];
}
