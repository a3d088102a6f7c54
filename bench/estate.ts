/** Environments of one bench: a folder, a nexus3.yaml on free ports, a root key, and the built command line. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { compose } from '../src/compose.js';
import { SILENT } from '../src/progress.js';
import type { Environment } from '../src/protocol/environment.js';
import { instancesOf, LOCKER_NAME, portOf } from '../src/protocol/environment.js';
import type { Passwords } from '../src/protocol/users.js';
import { PROGRAM_PATH } from './machine.js';
import { freePorts } from './ports.js';
import type { Ran } from './whole-process.js';
import { runWhole } from './whole-process.js';

/** scripts/bench.mjs starts the benches in the repository’s root. */
export const MAIN = join(process.cwd(), 'dist', 'cli', 'main.js');
const COMMAND_TIMEOUT_MS = 300_000;

export interface EstateOptions {
  readonly runtime: 'docker' | 'process';
  /** Standard ones first, then Secure ones; Locker is one of the latter. */
  readonly standard: number;
  readonly secure: number;
  readonly image?: string;
  /** `none`: no graph module. */
  readonly module?: 'none';
  /** Further top-level lines of nexus3.yaml. */
  readonly yaml?: readonly string[];
  /** Of the Docker engine. */
  readonly dockerHost?: string;
}

/** One instance as a client sees it. */
export interface Door {
  readonly env: string;
  readonly role: 'vault' | 'operational';
  readonly port: number;
}

export class Estate implements AsyncDisposable {
  private constructor(
    readonly root: string,
    readonly configFile: string,
    readonly prefix: string,
    readonly network: string,
    readonly environments: readonly Environment[],
    /** What its commands and those of the rival are started with. */
    readonly env: NodeJS.ProcessEnv,
  ) {}

  static async plan(options: EstateOptions): Promise<Estate> {
    const environments = await plan(options);
    const root = await mkdtemp(join(tmpdir(), 'nexus3-bench-'));
    const prefix = `n3b${String(environments[0]?.vaultPort)}`;
    const network = `${prefix}-network`;
    const configFile = join(root, 'nexus3.yaml');
    const lines = [
      'version: 1',
      `runtime: ${options.runtime}`,
      `dataRoot: ${join(root, 'data')}`,
      `containerPrefix: ${prefix}`,
      `network: ${network}`,
      ...(options.image === undefined ? [] : [`image: ${options.image}`]),
      ...(options.module === undefined ? [] : [`module: ${options.module}`]),
      ...(options.yaml ?? []),
      'environments:',
      ...environments.map(({ name, kind, vaultPort }) => `  ${name}: { vault: ${String(vaultPort)}, kind: ${kind} }`),
    ];
    await writeFile(configFile, `${lines.join('\n')}\n`);
    const { HOME, XDG_DATA_HOME, NEXUS3_ENGINE_HOME } = process.env;
    const env = {
      PATH: PROGRAM_PATH,
      HOME,
      NEXUS3_ROOT_KEY_FILE: join(root, 'root.key'),
      XDG_CONFIG_HOME: join(root, 'xdg'),
      ...(XDG_DATA_HOME === undefined ? {} : { XDG_DATA_HOME }),
      ...(NEXUS3_ENGINE_HOME === undefined ? {} : { NEXUS3_ENGINE_HOME }),
      ...(options.dockerHost === undefined ? {} : { DOCKER_HOST: options.dockerHost }),
    };
    return new Estate(root, configFile, prefix, network, environments, env);
  }

  /** As a person types it. Rejects unless it ends well. */
  async nexus3(...args: readonly string[]): Promise<Ran> {
    return runWhole({
      command: process.execPath,
      args: [MAIN, '--config', this.configFile, ...args],
      env: this.env,
      timeoutMs: COMMAND_TIMEOUT_MS,
    });
  }

  /** `check`, from its start to its end. Rejects unless everything that is there was found well. */
  async check(): Promise<number> {
    return (await this.nexus3('check', '--quiet')).ms;
  }

  doors(): readonly Door[] {
    return this.environments.flatMap((environment) =>
      instancesOf(environment).map(({ env, role }) => ({ env, role, port: portOf(environment, role) })),
    );
  }

  /** By environment, as Locker holds them. */
  async credentials(): Promise<ReadonlyMap<string, Passwords>> {
    const variables = this.env as Readonly<Record<string, string | undefined>>;
    await using world = await compose({ config: this.configFile }, SILENT, { cwd: this.root, env: variables });
    const others = this.environments.map(({ name }) => name).filter((name) => name !== LOCKER_NAME);
    const stored = await (await world.locker.open()).read(others);
    const passwords = [...stored].map(([env, { current }]) => [env, current] as const);
    return new Map<string, Passwords>([...passwords, [LOCKER_NAME, await world.locker.ownCredentials(false)]]);
  }

  /** Data, configuration and root key, as if it had never been up. Servers must be gone already. */
  async forget(): Promise<void> {
    await rm(join(this.root, 'data'), { recursive: true, force: true });
    await rm(join(this.root, 'root.key'), { force: true });
    await mkdir(join(this.root, 'data'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

async function plan({ standard, secure }: EstateOptions): Promise<readonly Environment[]> {
  const count = standard + secure;
  const base = await freePorts(2 * count);
  return Array.from({ length: count }, (_, index): Environment => {
    const kind = index < standard ? 'standard' : 'secure';
    const name = index === count - 1 ? LOCKER_NAME : `env${String(index)}`;
    return { name, kind, vaultPort: base + 2 * index };
  });
}
