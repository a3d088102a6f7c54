/**
 * The fence around a vault whose data are not proven yet: neither its operational nor an application may log in. It stands
 * in `users.acl`, so that whatever starts the vault starts it fenced.
 */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Progress } from '../../progress.js';
import type { Credentials } from '../../protocol/users.js';
import { specOf } from '../desired.js';
import { perform } from '../perform.js';
import { renderInstance } from '../render.js';
import type { World } from '../world.js';

/** For the next start. */
export async function putUpFence(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Credentials,
): Promise<void> {
  await renderInstance(world, environment, specOf(world.configuration, environment, 'vault'), credentials, {
    fenced: true,
  });
}

/** In force at once, and for the next start. */
export async function takeDownFence(
  world: World,
  environment: ConfiguredEnvironment,
  credentials: Credentials,
  progress: Progress,
): Promise<void> {
  const spec = specOf(world.configuration, environment, 'vault');
  await renderInstance(world, environment, spec, credentials, { fenced: false });
  await perform(world, { kind: 'load-users', on: spec.id }, progress);
}

/** Past the guard only: from now on the operational is made the same as its vault. */
export async function follow(world: World, environment: ConfiguredEnvironment, progress: Progress): Promise<void> {
  const on = { env: environment.name, role: 'operational' } as const;
  await perform(world, { kind: 'attach', on }, progress);
  await perform(world, { kind: 'wait-for-link', on }, progress);
}
