/** One container by its name: looked at, and changed only when nexus3 made it. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ContainerCreateOptions, ContainerInspectInfo } from 'dockerode';
import { Nexus3Error } from '../../errors.js';
import { instanceKey } from '../../protocol/environment.js';
import type { InstanceSpec } from '../runtime.js';
import { STOP_GRACE_MS } from '../runtime.js';
import { isOwned, stateOf } from './container-state.js';
import { SPEC_LABEL } from './definition.js';
import type { Engine } from './engine.js';
import { refusedWith } from './engine.js';

/** How often to look whether somebody else has finished. */
const POLL_MS = 50;

export const HTTP = { notModified: 304, forbidden: 403, notFound: 404, conflict: 409 } as const;

/** A container is asked for by its name; everything else of a spec is how it should be. */
export type Named = Pick<InstanceSpec, 'name'>;

/** Undefined: there is no container of that name. */
export async function inspectContainer(engine: Engine, spec: Named): Promise<ContainerInspectInfo | undefined> {
  try {
    return await engine.ask(`inspect ${spec.name}`, engine.limits.readMs, (docker, abortSignal) =>
      docker.getContainer(spec.name).inspect({ abortSignal }),
    );
  } catch (error) {
    if (refusedWith(error, HTTP.notFound)) return undefined;
    throw error;
  }
}

/** A failure this recent may be on its way to its next start; after so long Docker has said so. */
const JUST_ENDED_MS = 2_000;
const SETTLE_MS = 400;

/**
 * The same, looked at again where it has failed a moment ago: between the end of a container and its next start by the
 * restart policy, Docker calls it `exited` for an instant, as if somebody had stopped it.
 */
export async function inspectSettled(engine: Engine, spec: InstanceSpec): Promise<ContainerInspectInfo | undefined> {
  const container = await inspectContainer(engine, spec);
  if (container?.State.Status !== 'exited' || container.State.ExitCode === 0) return container;
  if (Date.now() - Date.parse(container.State.FinishedAt) > JUST_ENDED_MS) return container;
  await sleep(SETTLE_MS);
  return inspectContainer(engine, spec);
}

/** Before anything is changed. @throws Nexus3Error FOREIGN_INSTANCE */
export async function inspectOwned(engine: Engine, spec: InstanceSpec): Promise<ContainerInspectInfo | undefined> {
  const container = await inspectContainer(engine, spec);
  if (container !== undefined && !isOwned(spec, container)) throw foreign(spec);
  return container;
}

function foreign(spec: InstanceSpec): Nexus3Error {
  return new Nexus3Error(
    'FOREIGN_INSTANCE',
    `nexus3 did not make the container ${spec.name}, so it does not change it.`,
    {
      evidence: [`it has no label that says it is ${instanceKey(spec.id)}`],
      hint: `Rename it or take it away yourself (its data lie where it mounts them: docker inspect ${spec.name}).`,
    },
  );
}

/**
 * One that another nexus3 makes of the same definition at this moment is as good: its name is taken before it can be
 * inspected.
 */
export async function createContainer(
  engine: Engine,
  spec: InstanceSpec,
  definition: ContainerCreateOptions,
): Promise<void> {
  const until = Date.now() + engine.limits.changeMs;
  for (;;) {
    try {
      await engine.ask(`create ${spec.name}`, engine.limits.changeMs, (docker, abortSignal) =>
        docker.createContainer({ ...definition, abortSignal }),
      );
      return;
    } catch (error) {
      if (!refusedWith(error, HTTP.conflict)) throw error;
      const present = await inspectOwned(engine, spec);
      if (present?.Config.Labels[SPEC_LABEL] === definition.Labels?.[SPEC_LABEL]) return;
      if (present !== undefined || Date.now() > until) throw error;
    }
    await sleep(POLL_MS);
  }
}

/** Asks it to save and end, and after STOP_GRACE_MS makes it end. */
export async function stopContainer(
  engine: Engine,
  spec: InstanceSpec,
  container: ContainerInspectInfo,
): Promise<void> {
  if (stateOf(container) === 'stopped') return;
  try {
    await engine.ask(`stop ${spec.name}`, engine.limits.stopMs, (docker, abortSignal) =>
      docker.getContainer(container.Id).stop({ t: STOP_GRACE_MS / 1000, abortSignal }),
    );
  } catch (error) {
    if (!refusedWith(error, HTTP.notModified, HTTP.notFound)) throw error;
  }
}

/** Volumes that the image makes for itself go too; folders of this host are no volumes. */
export async function removeContainer(engine: Engine, spec: InstanceSpec, id: string): Promise<void> {
  try {
    await engine.ask(`remove ${spec.name}`, engine.limits.changeMs, (docker, abortSignal) =>
      docker.getContainer(id).remove({ v: true, abortSignal }),
    );
  } catch (error) {
    if (refusedWith(error, HTTP.notFound)) return;
    // Somebody else is removing it: the name is free when it is gone.
    if (!refusedWith(error, HTTP.conflict) || !(await isSoonGone(engine, spec, id))) throw error;
  }
}

async function isSoonGone(engine: Engine, spec: InstanceSpec, id: string): Promise<boolean> {
  const until = Date.now() + engine.limits.changeMs;
  while (Date.now() < until) {
    const container = await inspectContainer(engine, spec);
    if (container?.Id !== id) return true;
    if (container.State.Status !== 'removing') return false;
    await sleep(POLL_MS);
  }
  return false;
}
