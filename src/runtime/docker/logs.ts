/** Log lines of a container, the newest or as they come. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Nexus3Error } from '../../errors.js';
import type { InstanceSpec } from '../runtime.js';
import type { Named } from './containers.js';
import { HTTP, inspectContainer } from './containers.js';
import type { Engine } from './engine.js';
import { refusedWith } from './engine.js';
import { LogStream } from './log-stream.js';

const LOG_LINES_MAX = 10_000;
const REATTACH_DELAY_MS = 500;

/** The newest lines, oldest first; none for a missing container. */
export async function readLogs(engine: Engine, spec: Named, lines: number): Promise<readonly string[]> {
  const container = await inspectContainer(engine, spec);
  if (container === undefined || lines < 1) return [];
  const count = Math.min(lines, LOG_LINES_MAX);
  const collected: string[] = [];
  const split = new LogStream((line) => {
    collected.push(line);
    if (collected.length > count) collected.shift();
  }, !container.Config.Tty);
  try {
    const content: unknown = await engine.ask(
      `read the log of ${spec.name}`,
      engine.limits.readMs,
      (docker, abortSignal) =>
        docker.getContainer(container.Id).logs({ stdout: true, stderr: true, tail: count, abortSignal }),
    );
    // A log without frames that happens to be JSON comes parsed; nothing that nexus3 makes has one.
    split.push(Buffer.isBuffer(content) ? content : Buffer.from(String(content)));
    split.end();
  } catch (error) {
    if (refusedWith(error, HTTP.notFound, HTTP.conflict)) return [];
    throw error;
  }
  return collected;
}

/** Each new line until the signal is aborted; a stream ends with its container, so it is taken up again. */
export async function followLogs(
  engine: Engine,
  spec: InstanceSpec,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  let sinceMs = Date.now();
  while (!signal.aborted) {
    try {
      await followOnce(engine, spec, onLine, signal, sinceMs);
    } catch (error) {
      if (hasEnded(signal)) return;
      throw error;
    }
    sinceMs = Date.now();
    await sleep(REATTACH_DELAY_MS, undefined, { signal }).catch(() => undefined);
  }
}

async function followOnce(
  engine: Engine,
  spec: InstanceSpec,
  onLine: (line: string) => void,
  signal: AbortSignal,
  sinceMs: number,
): Promise<void> {
  const container = await inspectContainer(engine, spec);
  if (container?.State.Running !== true) return;
  const stream: AsyncIterable<string | Buffer> = await engine.ask(
    `follow the log of ${spec.name}`,
    engine.limits.readMs,
    (docker, overdue) =>
      docker.getContainer(container.Id).logs({
        follow: true,
        stdout: true,
        stderr: true,
        since: sinceMs / 1000,
        abortSignal: AbortSignal.any([signal, overdue]),
      }),
  );
  const split = new LogStream(onLine, !container.Config.Tty);
  try {
    for await (const chunk of stream) split.push(Buffer.from(chunk));
  } catch (error) {
    throw new Nexus3Error('DOCKER_UNREACHABLE', `The log of ${spec.name} broke off.`, {
      evidence: [error instanceof Error ? error.message : String(error)],
      hint: 'See whether the Docker engine is well (docker info), then run the command again.',
      cause: error,
    });
  }
  split.end();
}

/** Asked through a function, because it changes while somebody waits. */
function hasEnded(signal: AbortSignal): boolean {
  return signal.aborted;
}
