/** The private Docker engine of the benches, the same kind that the tests use. */
import { dockerJson } from '../test/support/docker-api.js';
import { startTestEngine, stopTestEngine } from '../test/support/docker-engine.js';
import { mapBounded } from '../src/concurrency.js';

const REMOVE_CONCURRENCY_MAX = 8;

export class DockerBench implements AsyncDisposable {
  private constructor(
    private readonly engine: Awaited<ReturnType<typeof startTestEngine>>,
    readonly host: string,
  ) {}

  static async start(note: (text: string) => void): Promise<DockerBench> {
    const engine = await startTestEngine(note);
    return new DockerBench(engine, engine.host);
  }

  async version(): Promise<string> {
    const { Version } = (await dockerJson(this.engine.socketPath, 'GET', '/version')) as { Version: string };
    return Version;
  }

  /** Every container and network of this engine. */
  async clear(): Promise<void> {
    const { socketPath } = this.engine;
    const containers = (await dockerJson(socketPath, 'GET', '/containers/json?all=1')) as { Id: string }[];
    await mapBounded(containers, REMOVE_CONCURRENCY_MAX, ({ Id }) =>
      dockerJson(socketPath, 'DELETE', `/containers/${Id}?force=1&v=1`),
    );
    await dockerJson(socketPath, 'POST', '/networks/prune');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await stopTestEngine(this.engine);
  }
}
