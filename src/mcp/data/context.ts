/** What the data tools work on: the environments that this server serves, each connected when it is first needed. */
import type { EnvironmentClient } from '../../client/environment-client.js';
import { Nexus3Error } from '../../errors.js';
import type { EnvironmentKind } from '../../protocol/environment.js';
import { LOCKER_NAME } from '../../protocol/environment.js';
import { HeldResults } from './held-results.js';
import { KnownQueries } from './known-queries.js';
import type { Opened } from './open-environment.js';
import { OpenEnvironment } from './open-environment.js';

export interface ServedEnvironment {
  readonly name: string;
  readonly kind: EnvironmentKind;
  readonly vaultPort?: number | undefined;
  readonly operationalPort?: number | undefined;
}

export interface DataContextInit {
  /** Those that tools may name; the first alone needs no name. */
  readonly environments: readonly ServedEnvironment[];
  /** Called once for each environment, and again where it failed. */
  readonly open: (env: string) => Promise<Opened>;
}

export class DataContext implements AsyncDisposable {
  readonly environments: readonly ServedEnvironment[];
  readonly #open: DataContextInit['open'];
  /** Rest of long results, under cursors. */
  readonly results = new HeldResults();
  readonly queries = new KnownQueries();
  readonly #opened = new Map<string, Promise<OpenEnvironment>>();
  #closed = false;

  /** @throws Nexus3Error USAGE for Locker, whose values are nobody's data */
  constructor({ environments, open }: DataContextInit) {
    if (environments.some(({ name }) => name === LOCKER_NAME)) {
      throw new Nexus3Error('USAGE', 'Locker is not served: what it holds are secrets, not data.', {
        hint: 'Name other environments; `nexus3 status` lists them.',
      });
    }
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
  async opened(name: string | undefined): Promise<OpenEnvironment> {
    const environment = this.environment(name);
    if (this.#closed) {
      throw new Nexus3Error('CLIENT_CLOSED', 'This server is ending.', { hint: 'Start it again.' });
    }
    const known = this.#opened.get(environment.name);
    if (known !== undefined) return known;
    const opening = this.#open(environment.name).then((opened) => new OpenEnvironment(opened));
    this.#opened.set(environment.name, opening);
    try {
      return await opening;
    } catch (error) {
      // The next call tries once more.
      this.#opened.delete(environment.name);
      throw error;
    }
  }

  /** The client of an environment, connected when first asked for. @throws Nexus3Error ENVIRONMENT_UNKNOWN */
  async client(name: string | undefined): Promise<EnvironmentClient> {
    return (await this.opened(name)).client;
  }

  /** As it is now; nothing is opened for this. */
  async known(name: string): Promise<EnvironmentClient | undefined> {
    return (await this.#opened.get(name))?.client;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    const opened = await Promise.allSettled([...this.#opened.values()]);
    this.#opened.clear();
    const closing = opened.flatMap((one) => (one.status === 'fulfilled' ? [one.value.close()] : []));
    await Promise.all(closing);
  }
}
