/**
 * What is rotated, behind one set of steps: an environment's credentials, which Locker keeps, or Locker's own, which are
 * derived from the root key. Each step is durable when it resolves, and doing it twice does no more than once.
 */
import type { ConfiguredEnvironment } from '../../config/configuration.js';
import type { Rotation } from '../../locker/locker.js';
import type { CredentialName, Credentials } from '../../protocol/users.js';
import { credentialsOf, openLocker } from '../access.js';
import { isLocker } from '../desired.js';
import type { World } from '../world.js';

export interface Subject {
  readonly environment: ConfiguredEnvironment;
  /** As it is now: what is handed out, what is accepted besides, and which rotation is under way. */
  read(): Promise<{ readonly credentials: Credentials; readonly rotation: Rotation | undefined }>;
  prepare(names: readonly CredentialName[]): Promise<void>;
  promote(graceMs: number): Promise<void>;
  finish(): Promise<void>;
}

export function subjectOf(world: World, environment: ConfiguredEnvironment): Subject {
  return isLocker(environment) ? lockersOwn(world, environment) : ofEnvironment(world, environment);
}

function ofEnvironment(world: World, environment: ConfiguredEnvironment): Subject {
  const { name } = environment;
  return {
    environment,
    async read() {
      const stored = (await (await openLocker(world)).read([name])).get(name);
      return { credentials: await credentialsOf(world, environment), rotation: stored?.rotation };
    },
    async prepare(names) {
      await (await openLocker(world)).prepareRotation(name, names, world.clock.now());
    },
    async promote(graceMs) {
      const now = world.clock.now();
      await (await openLocker(world)).promoteRotation(name, now, new Date(now.getTime() + graceMs));
    },
    async finish() {
      await (await openLocker(world)).finishRotation(name);
    },
  };
}

function lockersOwn(world: World, environment: ConfiguredEnvironment): Subject {
  return {
    environment,
    async read() {
      const rotation = await world.locker.ownRotation();
      return { credentials: await credentialsOf(world, environment), rotation };
    },
    async prepare() {
      await world.locker.rotateOwn({ kind: 'prepare', at: world.clock.now() });
    },
    async promote(graceMs) {
      await world.locker.rotateOwn({ kind: 'promote', graceUntil: new Date(world.clock.now().getTime() + graceMs) });
    },
    async finish() {
      await world.locker.rotateOwn({ kind: 'finish' });
    },
  };
}
