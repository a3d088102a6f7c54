/**
 * A whole nexus3 of its own for one file of scenarios: a folder, a nexus3.yaml on free ports, a root key, and the command
 * line run in this process against real servers. Scenarios break what is real and say what a person would see.
 */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect } from 'vitest';
import { run as runCli } from '../../src/cli/run.js';
import type { World } from '../../src/reconcile/world.js';
import { compose } from '../../src/compose.js';
import { Nexus3Error } from '../../src/errors.js';
import { SILENT } from '../../src/progress.js';
import { Secret } from '../../src/protocol/secret.js';
import type { Role } from '../../src/protocol/environment.js';
import type { FindingCode } from '../../src/reconcile/finding.js';
import type { Report, ReportedFinding } from '../../src/reconcile/report.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { selectEnvironments, specOf } from '../../src/reconcile/desired.js';
import type { InstanceSpec } from '../../src/runtime/runtime.js';
import { Connection, openConnection } from '../../src/redis/connection.js';
import { DockerApiError, dockerJson } from './docker-api.js';
import { isList, ReplyError, type Reply } from '../../src/redis/replies.js';

/** A SAVE of a test's data is done within this. */
const ADMIN_TIMEOUT_MS = 60_000;

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface NexusOptions {
  readonly runtime: 'process' | 'docker';
  /** name → kind; locker is always there. */
  readonly environments: Readonly<Record<string, 'standard' | 'secure'>>;
  /** Further top-level lines of nexus3.yaml. */
  readonly yaml?: string;
  /** e.g. DOCKER_HOST of the engine under test. */
  readonly env?: Readonly<Record<string, string>>;
  /** Where its folder is made; the system's temporary folder by default. */
  readonly parent?: string;
}

export class Nexus implements AsyncDisposable {
  private constructor(
    readonly root: string,
    readonly configFile: string,
    readonly dataRoot: string,
    readonly options: NexusOptions,
    readonly env: Readonly<Record<string, string>>,
  ) {}

  static async make(options: NexusOptions): Promise<Nexus> {
    const root = await mkdtemp(join(options.parent ?? tmpdir(), 'nexus3-test-'));
    const names = Object.keys(options.environments);
    const base = await freePortBlock(2 * (names.length + 1));
    const prefix = `n3t${String(base)}`;
    const lines = [
      'version: 1',
      `runtime: ${options.runtime}`,
      `dataRoot: ${join(root, 'data')}`,
      `containerPrefix: ${prefix}`,
      `network: ${prefix}-network`,
      ...(options.yaml === undefined ? [] : [options.yaml]),
      '# what we run',
      'environments:',
      `  locker: { vault: ${String(base)}, kind: secure }`,
      ...names.map((name, index) => {
        const kind = options.environments[name] === 'secure' ? ', kind: secure' : '';
        return `  ${name}: { vault: ${String(base + 2 * (index + 1))}${kind} }`;
      }),
    ];
    const configFile = join(root, 'nexus3.yaml');
    await writeFile(configFile, `${lines.join('\n')}\n`);
    const env = {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? root,
      XDG_CONFIG_HOME: join(root, 'xdg-config'),
      NEXUS3_ROOT_KEY_FILE: join(root, 'root.key'),
      ...(process.env['NEXUS3_ENGINE_HOME'] === undefined
        ? {}
        : { NEXUS3_ENGINE_HOME: process.env['NEXUS3_ENGINE_HOME'] }),
      ...options.env,
    };
    return new Nexus(root, configFile, join(root, 'data'), options, env);
  }

  /** The command line, in this process, as in an own folder. */
  async run(...args: readonly string[]): Promise<CliResult> {
    return this.runWith({}, ...args);
  }

  /** The same with something piped in, or with further environment variables. */
  async runWith(
    given: { readonly stdin?: string | Buffer; readonly env?: Readonly<Record<string, string>> },
    ...args: readonly string[]
  ): Promise<CliResult> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()];
    const [out, err] = [collect(stdout), collect(stderr)];
    const stdin = new PassThrough();
    stdin.end(given.stdin);
    const code = await runCli(['--config', this.configFile, ...args], {
      cwd: this.root,
      env: { ...this.env, ...given.env },
      stdin,
      stdout,
      stderr,
      signal: new AbortController().signal,
    });
    stdout.end();
    stderr.end();
    return { code, out: await out, err: await err };
  }

  /** With `--json`; the exit code must be the one expected. */
  async report(expectedCode: number, ...args: readonly string[]): Promise<Report> {
    const { code, out, err } = await this.run(...args, '--json');
    // What failed stands at the end of a long report.
    const told = out.length > 8_000 ? `${out.slice(0, 4_000)}\n…\n${out.slice(-4_000)}` : out;
    expect(code, `nexus3 ${args.join(' ')}\n${err}\n${told}`).toBe(expectedCode);
    return JSON.parse(out) as Report;
  }

  /** What `check` finds, less what is only information: `code instance`, sorted. */
  async findings(env: string): Promise<readonly string[]> {
    const { code, out, err } = await this.run('check', env, '--json');
    expect([0, 1], err).toContain(code);
    return codesOf(JSON.parse(out) as Report, env);
  }

  async world(): Promise<World> {
    return compose({ config: this.configFile }, SILENT, { cwd: this.root, env: this.env });
  }

  async spec(env: string, role: Role): Promise<InstanceSpec> {
    await using world = await this.world();
    const [environment] = selectEnvironments(world.configuration, [env]);
    if (environment === undefined) throw new Error(`no ${env}`);
    return specOf(world.configuration, environment, role);
  }

  async password(env: string, user = 'default'): Promise<string> {
    const { code, out, err } = await this.run('credentials', 'get', env, '--user', user);
    expect(code, err).toBe(0);
    return out.trim();
  }

  /** One command as the administrator. Error replies are thrown. */
  async admin(env: string, role: Role, ...args: readonly string[]): Promise<PlainReply> {
    const spec = await this.spec(env, role);
    const password = await this.password(env, role === 'vault' ? 'admin' : 'operational-admin');
    using connection = await openConnection(hostAddress(spec), { user: 'admin', password: new Secret(password) });
    const reply = await connection.send(args, { timeoutMs: ADMIN_TIMEOUT_MS });
    if (reply instanceof ReplyError) throw new Error(`${args[0] ?? ''}: ${reply.text}`);
    return plain(reply);
  }

  /** One command on the vault as an application; undefined where it is not to be had right now. Locker is not asked. */
  async asApplication(env: string, password: string, ...args: readonly string[]): Promise<PlainReply | undefined> {
    const address = hostAddress(await this.spec(env, 'vault'));
    try {
      using connection = await openConnection(address, { user: 'default', password: new Secret(password) });
      return plain(await connection.send(args));
    } catch (error) {
      if (error instanceof Nexus3Error) return undefined;
      throw error;
    }
  }

  /** One command without a password. Error replies are returned. */
  async anonymous(env: string, role: Role, ...args: readonly string[]): Promise<PlainReply> {
    using connection = await Connection.open(hostAddress(await this.spec(env, role)));
    return plain(await connection.send(args));
  }

  /** The text of one file of an instance's configuration folder. */
  async configText(env: string, role: Role, name: string): Promise<string> {
    return readFile(join((await this.spec(env, role)).configDir, name), 'utf8');
  }

  async editYaml(change: (text: string) => string): Promise<void> {
    await writeFile(this.configFile, change(await readFile(this.configFile, 'utf8')));
  }

  /** Stops and removes everything of this nexus3, by the runtime's own means. */
  async [Symbol.asyncDispose](): Promise<void> {
    await using world = await this.world();
    await world.runtime.ready();
    for (const environment of world.configuration.environments) {
      for (const role of ['operational', 'vault'] as const) {
        if (role === 'operational' && environment.kind === 'secure') continue;
        await world.runtime.remove(specOf(world.configuration, environment, role));
      }
    }
    if (this.options.runtime === 'docker') await this.#removeNetwork(world.configuration.network);
    await rm(this.root, { recursive: true, force: true });
  }

  /** nexus3 itself never removes one: others may use it. */
  async #removeNetwork(name: string): Promise<void> {
    const socketPath = (this.env['DOCKER_HOST'] ?? '').replace(/^unix:\/\//, '');
    try {
      await dockerJson(socketPath, 'DELETE', `/networks/${name}`);
    } catch (error) {
      if (!(error instanceof DockerApiError) || error.status !== 404) throw error;
    }
  }
}

/** `link-down operational`, sorted; information left out. */
export function codesOf(report: Report, env: string): readonly string[] {
  return findingsOf(report, env)
    .filter(({ severity, fixed }) => severity !== 'info' && !fixed)
    .map(({ code, instance }) => `${code} ${instance}`)
    .toSorted();
}

export function findingsOf(report: Report, env: string): readonly ReportedFinding[] {
  return report.environments.find(({ name }) => name === env)?.findings ?? [];
}

export function findingOf(report: Report, env: string, code: FindingCode): ReportedFinding {
  const finding = findingsOf(report, env).find((one) => one.code === code);
  if (finding === undefined) throw new Error(`no ${code} in ${JSON.stringify(findingsOf(report, env))}`);
  return finding;
}

export type PlainReply = string | number | null | readonly PlainReply[];

/** Text for bytes; an error reply as its text. */
export function plain(reply: Reply): PlainReply {
  if (reply instanceof ReplyError) return reply.text;
  if (Buffer.isBuffer(reply)) return reply.toString('utf8');
  if (isList(reply)) return reply.map(plain);
  return typeof reply === 'bigint' ? String(reply) : reply;
}

async function collect(stream: PassThrough): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

const BLOCK_TRIES_MAX = 200;
const BLOCK_FIRST_PORT = 20_000;
const BLOCK_LAST_PORT = 31_000;
/** At least as many as there are scenario files at once. */
const BLOCK_RANGES = 10;
const RANGE_PORTS = (BLOCK_LAST_PORT - BLOCK_FIRST_PORT) / BLOCK_RANGES;
const handedOut = new Set<number>();

/**
 * The first, even one of `count` ports in a row that nothing listens on. Below the kernel's own ephemeral range. Each
 * worker of vitest has a range to itself: a port whose server is down for a moment is not free, and only its own file
 * knows that.
 */
export async function freePortBlock(count: number): Promise<number> {
  const range = Number(process.env['VITEST_POOL_ID'] ?? 0) % BLOCK_RANGES;
  const first = BLOCK_FIRST_PORT + range * RANGE_PORTS;
  for (let attempt = 0; attempt < BLOCK_TRIES_MAX; attempt += 1) {
    const base = first + 2 * Math.floor((Math.random() * (RANGE_PORTS - count)) / 2);
    const ports = Array.from({ length: count }, (_, index) => base + index);
    if (ports.some((port) => handedOut.has(port))) continue;
    if (!(await Promise.all(ports.map(canListen))).every(Boolean)) continue;
    for (const port of ports) handedOut.add(port);
    return base;
  }
  throw new Error(`no ${String(count)} free ports in a row`);
}

async function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      server.close(() => {
        resolve(true);
      });
    });
  });
}
