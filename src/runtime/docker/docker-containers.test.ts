/** What people and other programs do to containers beside nexus3, and what the runtime makes of it. Real engine. */
import { randomBytes } from 'node:crypto';
import { chown, rename } from 'node:fs/promises';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { dockerExec, dockerJson } from '../../../test/support/docker-api.js';
import { NO_MODULE_IMAGE } from '../../../test/support/docker-images.js';
import type { DockerSpecs } from '../../../test/support/docker-specs.js';
import { dockerSpecs } from '../../../test/support/docker-specs.js';
import { describeOnDocker, dockerEnvironment, sharedSocket } from '../../../test/support/docker-tests.js';
import { failureOf } from '../../../test/support/failure.js';
import { say } from '../../../test/support/raw-redis.js';
import { renderFolders } from '../../../test/support/rendered-folders.js';
import type { Role } from '../../protocol/environment.js';
import { instanceKey } from '../../protocol/environment.js';
import type { InstanceRuntimeState, InstanceSpec } from '../runtime.js';
import { DockerRuntime } from './docker-runtime.js';

interface Inspected {
  readonly Config: { readonly Healthcheck: { readonly Test: readonly string[]; readonly Interval: number } };
}

const SETTLE = { timeout: 20_000, interval: 100 };

describeOnDocker('containers that others touch', () => {
  let socket: string;
  let specs: DockerSpecs;
  let runtime: DockerRuntime;
  const made: InstanceSpec[] = [];
  const strays: string[] = [];

  beforeAll(async () => {
    socket = sharedSocket();
    specs = await dockerSpecs(socket);
    runtime = newRuntime();
    await runtime.ensureNetwork();
  });
  afterEach(async () => {
    for (const name of strays.splice(0)) await dockerJson(socket, 'DELETE', `/containers/${name}?force=1&v=1`);
    await runtime.ensureNetwork();
    await Promise.all(made.splice(0).map((spec) => runtime.remove(spec)));
  });
  afterAll(async () => {
    await runtime.close();
    await specs.discard();
  });

  const newRuntime = (): DockerRuntime =>
    new DockerRuntime({ network: specs.network, environment: dockerEnvironment() });

  async function created(role: Role = 'vault', change: Partial<InstanceSpec> = {}): Promise<InstanceSpec> {
    const spec = await rendered({ ...(await specs.freshSpec(role)), ...change });
    await runtime.create(spec);
    made.push(spec);
    return spec;
  }

  async function started(role: Role = 'vault'): Promise<InstanceSpec> {
    const spec = await created(role);
    await runtime.start(spec);
    return spec;
  }

  async function look(spec: InstanceSpec): Promise<InstanceRuntimeState> {
    const state = (await runtime.observe([spec])).instances.get(instanceKey(spec.id));
    if (state === undefined) throw new Error(`${spec.name} is not there`);
    return state;
  }

  /** As with `docker VERB NAME`. */
  const byHand = (spec: InstanceSpec, verb: string, body?: unknown): Promise<unknown> =>
    dockerJson(socket, 'POST', `/containers/${spec.name}/${verb}`, body);

  async function handMade(name: string, body: Record<string, unknown>): Promise<void> {
    strays.push(name);
    await dockerJson(socket, 'POST', `/containers/create?name=${name}`, { Image: NO_MODULE_IMAGE, ...body });
    await dockerJson(socket, 'POST', `/containers/${name}/start`);
  }

  it('runs the server as the owner of its data, with nothing that it does not need', async () => {
    const spec = await started();
    const status = await dockerExec(socket, spec.name, ['cat', '/proc/1/status']);
    expect(status.output).toMatch(/^Uid:\t6379\t6379\t6379\t6379$/m);
    expect(status.output).toMatch(/^Gid:\t6379\t6379\t6379\t6379$/m);
    expect(status.output).toMatch(/^CapEff:\t0000000000000000$/m);
    expect(status.output).toMatch(/^CapBnd:\t0000000000000000$/m);
    expect(status.output).toMatch(/^NoNewPrivs:\t1$/m);
    const mounts = await dockerExec(socket, spec.name, ['cat', '/proc/mounts']);
    expect(mounts.output).toMatch(/ \/ \S+ ro,/);
    expect(mounts.output).toMatch(/ \/nexus3 \S+ ro,/);
    expect(mounts.output).toMatch(/ \/var\/lib\/falkordb\/data \S+ rw,/);
    expect(mounts.output).toMatch(/ \/tmp tmpfs rw,nosuid,nodev,noexec/);
    const resolver = await dockerExec(socket, spec.name, ['cat', '/etc/resolv.conf']);
    expect(resolver.output).toMatch(/options .*timeout:1.*attempts:1/);
  });

  it('is healthy with a password and without one, by redis-cli and by a shell alone', async () => {
    for (const role of ['vault', 'operational'] as const) {
      const spec = await started(role);
      const { Config } = (await dockerJson(socket, 'GET', `/containers/${spec.name}/json`)) as Inspected;
      expect(Config.Healthcheck.Interval).toBe(30e9);
      const [kind, ...command] = Config.Healthcheck.Test;
      expect(kind).toBe('CMD');
      const onlyBash = `mkdir -p /tmp/b; ln -sf /usr/bin/bash /tmp/b/bash; PATH=/tmp/b exec ${command.join(' ')}`;
      const health = async (): Promise<number[]> => [
        (await dockerExec(socket, spec.name, command)).exitCode,
        (await dockerExec(socket, spec.name, ['/bin/sh', '-c', onlyBash])).exitCode,
      ];
      expect(await health()).toEqual([0, 0]);
      expect(await say({ host: '127.0.0.1', port: spec.port }, 'PING')).toMatch(
        role === 'vault' ? /^-NOAUTH/ : /^\+PONG/,
      );
      // A server that does not answer is not healthy.
      const { pid } = await look(spec);
      process.kill(pid, 'SIGSTOP');
      const frozen = await dockerExec(socket, spec.name, ['/bin/sh', '-c', `timeout 4 sh -c '${onlyBash}'`]);
      process.kill(pid, 'SIGCONT');
      expect(frozen.exitCode).not.toBe(0);
    }
  });

  it('finds the vault by its name', async () => {
    const vault = await started();
    const spec = { ...(await specs.freshSpec('operational')), name: vault.name.replace(/vault$/, 'operational') };
    const { vaultAddress } = runtime.placement(spec);
    expect(vaultAddress).toEqual({ host: vault.name, port: 6379 });
    const other = await started('operational');
    const answer = await dockerExec(socket, other.name, ['redis-cli', '-h', vaultAddress.host, 'ping']);
    expect(answer.output).toContain('NOAUTH');
    expect((await look(vault)).networkAddress).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
  });

  it('sees a paused one, unpauses it on start, and stops it paused', async () => {
    const spec = await started();
    await byHand(spec, 'pause');
    expect(await look(spec)).toMatchObject({ state: 'paused', differences: [] });
    await runtime.start(spec);
    expect(await look(spec)).toMatchObject({ state: 'running' });
    await byHand(spec, 'pause');
    await runtime.stop(spec);
    expect(await look(spec)).toMatchObject({ state: 'stopped', endedUnexpectedly: false });
  });

  it('sees that one would not come back', async () => {
    const spec = await started();
    await byHand(spec, 'update', { RestartPolicy: { Name: 'no' } });
    const expected = { aspect: 'restart-policy', expected: 'unless-stopped', actual: 'no' };
    expect((await look(spec)).differences).toEqual([expected]);
    await byHand(spec, 'kill');
    await expect.poll(async () => (await look(spec)).state, SETTLE).toBe('stopped');
    expect(await look(spec)).toMatchObject({ exitCode: 137, endedUnexpectedly: true });
  });

  it('sees one taken off its network, and connects it again', async () => {
    const spec = await started();
    const disconnect = { Container: spec.name, Force: true };
    await dockerJson(socket, 'POST', `/networks/${specs.network}/disconnect`, disconnect);
    const expected = { aspect: 'network', expected: specs.network, actual: 'no network' };
    expect((await look(spec)).differences).toEqual([expected]);
    await Promise.all([runtime.connectNetwork(spec), runtime.connectNetwork(spec)]);
    expect((await look(spec)).differences).toEqual([]);
    const answer = await dockerExec(socket, spec.name, ['redis-cli', '-h', spec.name, 'ping']);
    expect(answer.output).toContain('NOAUTH');
  });

  it('sees a removed network, and one that was made again under the same name', async () => {
    const spec = await started();
    await runtime.stop(spec);
    await dockerJson(socket, 'DELETE', `/networks/${specs.network}`);
    expect((await runtime.observe([spec])).network).toBe('missing');
    await expect(runtime.start(spec)).rejects.toMatchObject({ code: 'START_FAILED' });

    await runtime.ensureNetwork();
    expect((await runtime.observe([spec])).network).toBe('present');
    expect((await look(spec)).differences).toMatchObject([{ aspect: 'network', expected: specs.network }]);
    await runtime.connectNetwork(spec);
    expect((await look(spec)).differences).toEqual([]);
    await runtime.start(spec);
    expect(await look(spec)).toMatchObject({ state: 'running', differences: [] });
    const answer = await dockerExec(socket, spec.name, ['redis-cli', '-h', spec.name, 'ping']);
    expect(answer.output).toContain('NOAUTH');
  });

  it('makes one network, however many ask at once', async () => {
    await dockerJson(socket, 'DELETE', `/networks/${specs.network}`);
    await Promise.all(Array.from({ length: 10 }, () => newRuntime().ensureNetwork()));
    const all = (await dockerJson(socket, 'GET', '/networks')) as { Name: string }[];
    expect(all.filter(({ Name }) => Name === specs.network)).toHaveLength(1);
  });

  it('names the container that holds the port', async () => {
    const spec = await created();
    const stray = `stray-${randomBytes(4).toString('hex')}`;
    const PortBindings = { '6379/tcp': [{ HostIp: '127.0.0.1', HostPort: String(spec.port) }] };
    await handMade(stray, { HostConfig: { NetworkMode: specs.network, PortBindings } });
    const failure = await failureOf(runtime.start(spec));
    expect(failure.code).toBe('PORT_TAKEN');
    expect(failure.message).toContain(`held by the container ${stray}`);
  });

  it('says that data and configuration lie elsewhere, the port is another, the image too', async () => {
    const spec = await created();
    const differences = async (change: Partial<InstanceSpec>): Promise<unknown> =>
      (await look({ ...spec, ...change })).differences;
    expect(await differences({})).toEqual([]);
    const on = '/var/lib/falkordb/data';
    const mount = { aspect: 'mount', expected: `${specs.dataRoot} on ${on}`, actual: `${spec.dataDir} on ${on}` };
    expect(await differences({ dataDir: specs.dataRoot })).toEqual([mount]);
    expect(await differences({ configDir: specs.dataRoot })).toMatchObject([{ aspect: 'mount' }]);
    expect(await differences({ bind: '0.0.0.0' })).toEqual([
      { aspect: 'port', expected: `0.0.0.0:${String(spec.port)}`, actual: `127.0.0.1:${String(spec.port)}` },
    ]);
    expect(await differences({ image: NO_MODULE_IMAGE })).toMatchObject([{ aspect: 'image' }]);
    expect(await differences({ image: spec.image.replace(':latest', '') })).toEqual([]);
    // The rest of the definition counts when nothing else explains a difference.
    await chown(spec.dataDir, 6380, 6379);
    expect(await differences({})).toEqual([
      { aspect: 'definition', expected: 'user 6380:6379', actual: 'user 6379:6379' },
    ]);
    await chown(spec.dataDir, 6379, 6379);
  });

  it('never lets Docker make an empty folder where the data were', async () => {
    const spec = await created();
    await rename(spec.dataDir, `${spec.dataDir}.elsewhere`);
    const failure = await failureOf(runtime.start(spec));
    expect(failure.code).toBe('START_FAILED');
    expect(failure.evidence.join('\n')).toContain(spec.dataDir);
    expect(await look(spec)).toMatchObject({ state: 'stopped', differences: [] });
    await rename(`${spec.dataDir}.elsewhere`, spec.dataDir);
    await runtime.start(spec);
  });

  it('shows what is wrong with one that was made by hand, and changes nothing of it', async () => {
    const spec = await specs.freshSpec('vault');
    const password = randomBytes(12).toString('hex');
    await handMade(spec.name, {
      Env: [`REDIS_ARGS=--requirepass ${password}`],
      Labels: { 'nexus3.instance': 'other/vault' },
      HostConfig: { NetworkMode: 'none', PortBindings: { '6379/tcp': [{ HostPort: String(spec.port) }] } },
    });
    const state = await look(spec);
    expect(state).toMatchObject({ owned: false, secretInArguments: true });
    const aspects = state.differences.map(({ aspect }) => aspect);
    expect(aspects.sort()).toEqual(['image', 'mount', 'network', 'restart-policy']);
    expect(JSON.stringify(state)).not.toContain(password);
    await rendered(spec);
    for (const change of ['start', 'stop', 'remove', 'connectNetwork', 'create'] as const) {
      expect((await failureOf(runtime[change](spec))).code).toBe('FOREIGN_INSTANCE');
    }
    expect(await look(spec)).toEqual(state);
  });

  it('sees one published on every address, and reaches it all the same', async () => {
    const spec = await created('vault', { bind: '0.0.0.0' });
    await runtime.start(spec);
    expect(await look(spec)).toMatchObject({
      exposedOn: '0.0.0.0',
      address: { host: '127.0.0.1', port: spec.port },
      differences: [],
    });
  });

  it('says how to get an image that is not there', async () => {
    const spec = { ...(await specs.freshSpec('vault')), image: 'localhost:1/no-such/image:9' };
    const failure = await failureOf(runtime.create(await rendered(spec)));
    expect(failure.code).toBe('IMAGE_MISSING');
    expect(failure.hint).toContain('docker pull localhost:1/no-such/image:9');
    expect(failure.evidence.join()).toMatch(/refused|dial/);
  });

  it('ends well when two create, start, stop and remove at once', async () => {
    const spec = await rendered(await specs.freshSpec('vault'));
    made.push(spec);
    const both = [runtime, newRuntime()];
    await Promise.all(both.map((each) => each.create(spec)));
    await Promise.all(both.map((each) => each.start(spec)));
    expect(await look(spec)).toMatchObject({ state: 'running', restartCount: 0 });
    await Promise.all(both.map((each) => each.stop(spec)));
    expect(await look(spec)).toMatchObject({ state: 'stopped' });
    await Promise.all(both.map((each) => each.remove(spec)));
    expect((await runtime.observe([spec])).instances.size).toBe(0);
  });

  it('follows the log through a restart', async () => {
    const spec = await started();
    const heard: string[] = [];
    const ending = new AbortController();
    const following = runtime.followLogs(spec, (line) => heard.push(line), ending.signal);
    await byHand(spec, 'restart');
    await expect.poll(() => heard.join(), SETTLE).toContain('Ready to accept connections');
    await byHand(spec, 'restart');
    await expect.poll(() => heard.join('\n').split('Ready to accept connections').length, SETTLE).toBeGreaterThan(2);
    ending.abort();
    await following;
  });
  async function rendered(spec: InstanceSpec): Promise<InstanceSpec> {
    await renderFolders(runtime, spec, spec.id.role);
    return spec;
  }
});
