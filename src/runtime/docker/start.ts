/** Starts a container and sees its server accept connections, or says why it does not. */
import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../../errors.js';
import { instanceKey } from '../../protocol/environment.js';
import { ENGINE_EXIT, HELD_EXIT } from '../../protocol/start-script.js';
import { describePortHolder, findPortHolder } from '../port-holder.js';
import type { InstanceSpec } from '../runtime.js';
import { addressOf } from './container-state.js';
import { HTTP, inspectContainer, inspectOwned } from './containers.js';
import type { Engine } from './engine.js';
import { refusalOf, refusedWith } from './engine.js';
import { readLogs } from './logs.js';

/** After that a container that runs counts as started; whether it is healthy is the caller's to prove. */
const SETTLE_MS = 10_000;
const SETTLE_POLL_MS = 25;
/** docker-proxy accepts whether or not the server does, and closes at once when it does not. */
const STAYS_OPEN_MS = 25;
const EVIDENCE_LINES_MAX = 10;

const PORT_IN_USE = /port is already allocated|address already in use/i;

/** @throws Nexus3Error FOREIGN_INSTANCE, PORT_TAKEN, START_FAILED */
export async function startContainer(engine: Engine, spec: InstanceSpec): Promise<void> {
  const container = await inspectOwned(engine, spec);
  if (container === undefined) throw startFailed(spec, 'is not there to be started', []);
  if (container.State.Paused) return unpause(engine, spec, container.Id);
  if (container.State.Status === 'running') return;
  try {
    await engine.ask(`start ${spec.name}`, engine.limits.startMs, (docker, abortSignal) =>
      docker.getContainer(container.Id).start({ abortSignal }),
    );
  } catch (error) {
    // 304: another nexus3 was faster, or its restart policy was.
    if (!refusedWith(error, HTTP.notModified)) throw await startFailure(engine, spec, error);
  }
  await settle(engine, spec);
}

async function unpause(engine: Engine, spec: InstanceSpec, id: string): Promise<void> {
  try {
    await engine.ask(`unpause ${spec.name}`, engine.limits.changeMs, (docker, abortSignal) =>
      docker.getContainer(id).unpause({ abortSignal }),
    );
  } catch (error) {
    const now = await inspectContainer(engine, spec);
    if (now?.State.Paused !== false) throw error;
  }
}

/**
 * A script that refuses or a server that stumbles ends within milliseconds, and Docker starts it again and again: that
 * is said now, with its words, and not found out by a time-out later. Exit 77 and 78 are refusals on purpose, which
 * `check` explains.
 */
async function settle(engine: Engine, spec: InstanceSpec): Promise<void> {
  const until = Date.now() + SETTLE_MS;
  while (Date.now() < until) {
    const container = await inspectContainer(engine, spec);
    if (container === undefined) throw startFailed(spec, 'was removed while it was being started', []);
    const { Status, ExitCode } = container.State;
    if (Status !== 'running') {
      if (ExitCode === HELD_EXIT || ExitCode === ENGINE_EXIT) return;
      const lines = await readLogs(engine, spec, EVIDENCE_LINES_MAX);
      throw startFailed(spec, `ended at once (exit code ${String(ExitCode)})`, lines);
    }
    const address = addressOf(container);
    if (address === undefined || (await accepts(address))) return;
    await sleep(SETTLE_POLL_MS);
  }
}

/** True where a connection is taken and kept. */
async function accepts(address: { readonly host: string; readonly port: number }): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(address);
    let timer: NodeJS.Timeout | undefined;
    const end = (kept: boolean): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(kept);
    };
    socket.once('connect', () => {
      timer = setTimeout(() => {
        end(true);
      }, STAYS_OPEN_MS);
    });
    for (const event of ['error', 'end', 'close'] as const) {
      socket.once(event, () => {
        end(false);
      });
    }
    socket.resume();
    socket.setTimeout(SETTLE_MS, () => {
      end(false);
    });
  });
}

async function startFailure(engine: Engine, spec: InstanceSpec, error: unknown): Promise<unknown> {
  const refusal = refusalOf(error);
  if (refusal === undefined) return error;
  if (PORT_IN_USE.test(refusal.message)) return portTaken(engine, spec);
  if (/network .*not found/i.test(refusal.message)) {
    return startFailed(spec, `cannot start: its network ${spec.network} was removed`, [refusal.message]);
  }
  return startFailed(spec, 'was not started by Docker', [refusal.message]);
}

/** The holder is a container, where one publishes that port, and else a process of this host. */
async function portTaken(engine: Engine, spec: InstanceSpec): Promise<Nexus3Error> {
  const containers = await engine.ask('list containers', engine.limits.readMs, (docker, abortSignal) =>
    docker.listContainers({ abortSignal }),
  );
  const container = containers.find(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort === spec.port));
  const process = findPortHolder(spec.port, spec.bind) ?? { port: spec.port, pid: undefined, command: undefined };
  const who =
    container === undefined
      ? describePortHolder(process)
      : `port ${String(spec.port)} is held by the container ${container.Names[0]?.replace(/^\//, '') ?? container.Id}`;
  return new Nexus3Error('PORT_TAKEN', `${instanceKey(spec.id)} cannot start: ${who}.`, {
    evidence: container === undefined ? [] : [`image: ${container.Image}`],
    hint: 'End what holds the port, or give the environment another one in nexus3.yaml.',
  });
}

function startFailed(spec: InstanceSpec, why: string, lines: readonly string[]): Nexus3Error {
  return new Nexus3Error('START_FAILED', `${instanceKey(spec.id)} ${why}.`, {
    evidence: lines.slice(-EVIDENCE_LINES_MAX),
    hint: `Read the log (nexus3 logs ${spec.id.env}), then: nexus3 check ${spec.id.env}`,
  });
}
