/**
 * The engine, found and asked: every request is bounded in time, and whatever goes wrong is a Nexus3Error. The rest of
 * this folder talks to Docker through `ask` only.
 */
import type Docker from 'dockerode';
import { Nexus3Error, systemErrorCode } from '../../errors.js';
import { findEngineSocket } from './find-engine.js';
import type { RequestLimits } from './limits.js';
import { loadDockerode } from './load-dockerode.js';

/** The engine answered, but not with what was asked for. It is the `cause` of a Nexus3Error DOCKER_FAILED. */
export interface Refusal {
  /** HTTP status of the answer. */
  readonly status: number;
  /** The engine's own words. */
  readonly message: string;
}

export class Engine {
  readonly #docker: Docker;
  /** Containers run as if their root were the user who runs the engine. */
  readonly rootless: boolean;

  private constructor(
    docker: Docker,
    readonly socketPath: string,
    rootless: boolean,
    readonly limits: RequestLimits,
  ) {
    this.#docker = docker;
    this.rootless = rootless;
  }

  /** @throws Nexus3Error DOCKER_UNREACHABLE */
  static async connect(environment: NodeJS.ProcessEnv, limits: RequestLimits): Promise<Engine> {
    const socketPath = await findEngineSocket(environment, limits.connectMs);
    // No `agent` here: docker-modem prints the options of every request into a debug text that nobody reads, agent and
    // all, which costs 15 ms a request. Node's own agent keeps connections alive anyway.
    const docker = new (loadDockerode())({ socketPath });
    const version = await bounded(socketPath, 'say which version it is', limits.helloMs, () => docker.version());
    // Engines other than Docker's own may leave it out.
    const components = (version.Components as typeof version.Components | undefined) ?? [];
    const rootless = components.some(({ Name }) => Name === 'rootlesskit');
    return new Engine(docker, socketPath, rootless, limits);
  }

  /**
   * @param what completes "Docker could not …"
   * @throws Nexus3Error DOCKER_UNREACHABLE, and DOCKER_FAILED when the engine refuses (see `refusalOf`)
   */
  async ask<T>(
    what: string,
    timeoutMs: number,
    question: (docker: Docker, abortSignal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return bounded(this.socketPath, what, timeoutMs, (abortSignal) => question(this.#docker, abortSignal));
  }
}

/** What the engine said, where it refused; undefined for any other failure. */
export function refusalOf(error: unknown): Refusal | undefined {
  if (!(error instanceof Nexus3Error) || error.code !== 'DOCKER_FAILED') return undefined;
  return readRefusal(error.cause);
}

/** True where it refused with one of these statuses, which then are the wanted end state. */
export function refusedWith(error: unknown, ...statuses: readonly number[]): boolean {
  const refusal = refusalOf(error);
  return refusal !== undefined && statuses.includes(refusal.status);
}

/**
 * docker-modem's own `timeout` counts idle time only and leaves an answer that stops half-way unsettled for ever, so the
 * bound is ours; aborting then closes the connection.
 */
async function bounded<T>(
  socketPath: string,
  what: string,
  timeoutMs: number,
  question: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  const abort = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const overdue = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(unreachable(socketPath, `it did not ${what} within ${String(timeoutMs / 1000)} s`));
      abort.abort();
    }, timeoutMs);
  });
  try {
    return await Promise.race([question(abort.signal), overdue]);
  } catch (error) {
    throw asNexus3Error(error, socketPath, what);
  } finally {
    clearTimeout(timer);
  }
}

function asNexus3Error(error: unknown, socketPath: string, what: string): unknown {
  if (error instanceof Nexus3Error) return error;
  const refusal = readRefusal(error);
  if (refusal !== undefined) {
    return new Nexus3Error('DOCKER_FAILED', `Docker could not ${what}.`, {
      evidence: [`${refusal.message} (HTTP ${String(refusal.status)})`],
      hint: 'Put right what Docker complains about, then run the command again; its own log: journalctl -u docker.',
      cause: error,
    });
  }
  const code = systemErrorCode(error);
  if (code === undefined && !(error instanceof SyntaxError)) return error;
  const why = error instanceof Error ? error.message : String(error);
  return unreachable(socketPath, `the connection failed when it was to ${what}: ${why}`);
}

function unreachable(socketPath: string, why: string): Nexus3Error {
  return new Nexus3Error('DOCKER_UNREACHABLE', 'The Docker engine does not answer.', {
    evidence: [`${socketPath}: ${why}`],
    hint: 'See whether it is well (docker info; systemctl status docker), then run the command again.',
  });
}

/** docker-modem rejects with an Error that has `statusCode`, and `json` with the engine's words. */
function readRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error) || !('statusCode' in error) || typeof error.statusCode !== 'number') return undefined;
  const json = 'json' in error ? error.json : undefined;
  const words = typeof json === 'object' && json !== null && 'message' in json ? json.message : undefined;
  return { status: error.statusCode, message: typeof words === 'string' ? words.trim() : error.message.trim() };
}
