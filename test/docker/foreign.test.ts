/** Containers that somebody made by hand, as the protocol's pages have it: observed, checked, never changed. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../support/break.js';
import { docker, dockerNexus, dockerRun, inspect } from '../support/docker-hands.js';
import { FALKORDB_IMAGE, NO_MODULE_IMAGE } from '../support/docker-images.js';
import { describeOnDocker } from '../support/docker-tests.js';
import { codesOf, findingOf, findingsOf, Nexus } from '../support/nexus.js';

const LOAD_MODULE = ['redis-server', '--loadmodule', '/var/lib/falkordb/bin/falkordb.so'];
const PASSWORD = 'set-by-hand';

describeOnDocker('containers made by hand', () => {
  let nexus: Nexus;

  beforeAll(async () => {
    nexus = await Nexus.make(dockerNexus({ track: 'standard', user: 'secure' }));
    await nexus.report(0, 'up', 'locker');
    for (const role of ['vault', 'operational'] as const) {
      const { name, port, dataDir, network } = await nexus.spec('track', role);
      await dockerRun(nexus, name, { image: FALKORDB_IMAGE, command: LOAD_MODULE, port, dataDir, network });
      await until(async () => (await ask(role, 'PING')) === 'PONG', role);
    }
  });

  afterAll(async () => {
    for (const [env, role] of [
      ['track', 'operational'],
      ['track', 'vault'],
      ['user', 'vault'],
    ] as const) {
      await docker(nexus, 'DELETE', `/containers/${(await nexus.spec(env, role)).name}?force=1&v=1`);
    }
    await nexus[Symbol.asyncDispose]();
  });

  async function ask(role: 'vault' | 'operational', ...command: string[]): Promise<unknown> {
    return nexus.anonymous('track', role, ...command).catch(() => undefined);
  }

  /** What nexus3 must leave as it is: the containers, and what was set on them at runtime. */
  async function everything(): Promise<unknown> {
    return [
      await inspect(nexus, 'track', 'vault'),
      await inspect(nexus, 'track', 'operational'),
      await ask('operational', 'CONFIG', 'GET', '*'),
      await ask('operational', 'ACL', 'LIST'),
    ];
  }

  it('foreign-instance: fresh from `docker run`, the vault is open, and both forget everything at a restart', async () => {
    const report = await nexus.report(1, 'check', 'track');
    expect(codesOf(report, 'track')).toEqual([
      'config-volatile operational',
      'config-volatile vault',
      'default-user-unrestricted operational',
      'foreign-instance operational',
      'foreign-instance vault',
      'operational-not-replica operational',
      'port-exposed operational',
      'port-exposed vault',
      'vault-not-durable vault',
      'vault-open vault',
    ]);
    expect(findingsOf(report, 'track').filter(({ fixable }) => fixable)).toEqual([]);
  });

  it('after the protocol’s runtime commands: the vault’s password can be read by anyone, and the IP will not last', async () => {
    const { network } = await nexus.spec('track', 'vault');
    const address = (await inspect(nexus, 'track', 'vault')).NetworkSettings.Networks[network]?.IPAddress ?? '';
    await nexus.anonymous('track', 'vault', 'SET', 'kept', 'value');
    await nexus.anonymous('track', 'vault', 'CONFIG', 'SET', 'requirepass', PASSWORD);
    await nexus.anonymous('track', 'operational', 'CONFIG', 'SET', 'masterauth', PASSWORD);
    await nexus.anonymous('track', 'operational', 'REPLICAOF', address, '6379');
    await until(async () => (await ask('operational', 'GET', 'kept')) === 'value', 'replication');
    const { code, out, err } = await nexus.run('check', 'track', '--json');
    expect(code).toBe(1);
    const report = JSON.parse(out) as Awaited<ReturnType<Nexus['report']>>;
    expect(codesOf(report, 'track')).toEqual([
      'config-volatile operational',
      'default-user-unrestricted operational',
      'foreign-instance operational',
      'foreign-instance vault',
      'port-exposed operational',
      'port-exposed vault',
      'secrets-exposed operational',
      'wrong-master operational',
    ]);
    expect(findingOf(report, 'track', 'wrong-master').evidence).toMatchObject({ cause: 'ip' });
    expect(`${out}${err}`).not.toContain(PASSWORD);
  });

  it.each([
    'check track --fix',
    'up track',
    'down track',
    'recover track --yes',
    'recover track --vault --yes',
    'recover track --vault --accept-loss --yes',
    'remove track --yes',
  ])('nexus3 %s changes nothing about them', async (words) => {
    const before = await everything();
    await nexus.run(...words.split(' '));
    expect(await everything()).toEqual(before);
    expect(await ask('operational', 'GET', 'kept')).toBe('value');
  });

  it('check --fix says that they are left, and that it applied nothing', async () => {
    const report = await nexus.report(1, 'check', 'track', '--fix');
    expect(report.applied).toBe(0);
    expect(report.plan).toEqual({ id: null, actions: [] });
    expect(codesOf(report, 'track')).toContain('foreign-instance vault');
  });

  it('module-missing: a hand-made vault of an image without the graph module', async () => {
    const { name, port, network } = await nexus.spec('user', 'vault');
    const command = ['--protected-mode', 'no'];
    await dockerRun(nexus, name, { image: NO_MODULE_IMAGE, command, port, network });
    await until(async () => (await nexus.findings('user')).includes('vault-open vault'), 'the answer');
    expect(await nexus.findings('user')).toEqual([
      'config-volatile vault',
      'foreign-instance vault',
      'module-missing vault',
      'mount-mismatch vault',
      'port-exposed vault',
      'vault-not-durable vault',
      'vault-open vault',
    ]);
  });

  it('secrets-exposed: a password on the command line, which is never repeated', async () => {
    const { name, port, network } = await nexus.spec('user', 'vault');
    await docker(nexus, 'DELETE', `/containers/${name}?force=1&v=1`);
    const command = ['--protected-mode', 'no', '--requirepass', PASSWORD];
    await dockerRun(nexus, name, { image: NO_MODULE_IMAGE, command, port, network });
    const { out, err } = await nexus.run('check', 'user', '--json');
    const report = JSON.parse(out) as Awaited<ReturnType<Nexus['report']>>;
    expect(findingOf(report, 'user', 'secrets-exposed')).toMatchObject({
      instance: 'vault',
      fixable: false,
      evidence: { where: 'arguments' },
    });
    expect(`${out}${err}`).not.toContain(PASSWORD);
  });
});
