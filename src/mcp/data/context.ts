/** What the data tools work on: the environments that this server serves, each connected when it is first needed. */
import type { EnvironmentClient } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import type { EnvironmentKind } from '../../protocol/environment.js';

export interface ServedEnvironment {
  readonly name: string;
  readonly kind: EnvironmentKind;
  readonly vaultPort?: number | undefined;
  readonly operationalPort?: number | undefined;
}

export interface DataContextInit {
  /** Those that tools may name; the first alone needs no name. */
  readonly environments: readonly ServedEnvironment[];
  /** Called once for each environment, and again where it failed. With `readYourWrites`. */
  readonly open: (env: string) => Promise<EnvironmentClient>;
}

export class DataContext implements AsyncDisposable {
  readonly environments: readonly ServedEnvironment[];
  readonly #open: DataContextInit['open'];
  readonly #clients = new Map<string, Promise<EnvironmentClient>>();
  #closed = false;

  constructor({ environments, open }: DataContextInit) {
    this.environments = environments;
    this.#open = open;
  }

  /** The one named; where just one is served, also without a name. @throws Nexus3Error ENVIRONMENT_UNKNOWN */
  environment(name: string | undefined): ServedEnvironment {
    const [only, ...others] = this.environments;
    const found =
      name === undefined
        ? others.length === 0
          ? only
          : undefined
        : this.environments.find((environment) => environment.name === name);
    if (found !== undefined) return found;
    const names = this.environments.map((environment) => environment.name).join(', ');
    throw new Nexus3Error(
      'ENVIRONMENT_UNKNOWN',
      name === undefined ? 'This server serves more than one environment.' : 'This server serves no such environment.',
      { hint: `Call it again with \`environment\` as one of: ${names}.` },
    );
  }

  /** Connected when first asked for. @throws Nexus3Error ENVIRONMENT_UNKNOWN, and what connecting throws */
  async client(name: string | undefined): Promise<EnvironmentClient> {
    const environment = this.environment(name);
    if (this.#closed) {
      throw new Nexus3Error('CLIENT_CLOSED', 'This server is ending.', { hint: 'Start it again.' });
    }
    const known = this.#clients.get(environment.name);
    if (known !== undefined) return known;
    const opening = this.#open(environment.name);
    this.#clients.set(environment.name, opening);
    try {
      return await opening;
    } catch (error) {
      // The next call tries once more.
      this.#clients.delete(environment.name);
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const opened = await Promise.allSettled(this.#clients.values());
    this.#clients.clear();
    await Promise.all(opened.map((one) => (one.status === 'fulfilled' ? one.value.close() : undefined)));
  }
}
