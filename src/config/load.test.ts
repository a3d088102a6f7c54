import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Nexus3Error } from '../errors.js';
import { PROTOCOL_REGISTRY } from '../protocol/registry.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import type { Configuration } from './configuration.js';
import { loadConfiguration, parseConfigText } from './load.js';
import type { Overrides } from './load.js';
import { CONFIG_BYTES_MAX } from './locate.js';
import { ENVIRONMENTS_MAX } from './schema.js';

let root: string;
let cwd: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nexus3-config-'));
  cwd = join(root, 'work');
  await mkdir(cwd);
});
afterEach(() => rm(root, { recursive: true }));

function load(overrides: Overrides = {}, env: Record<string, string> = {}): Promise<Configuration> {
  return loadConfiguration(overrides, { cwd, env: { HOME: root, ...env } });
}

async function refusal(work: Promise<unknown>): Promise<Nexus3Error> {
  const error: unknown = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (error instanceof Nexus3Error) return error;
  throw new Error('was not refused as it should be', { cause: error });
}

async function write(text: string, path = join(cwd, 'nexus3.yaml')): Promise<string> {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, text);
  return path;
}

/** The mistakes that a file is refused for. */
async function mistakes(text: string): Promise<readonly string[]> {
  await write(text);
  const error = await refusal(load());
  expect(error.code).toBe('CONFIG_INVALID');
  return error.evidence;
}

describe('finding the file', () => {
  it('without any file is the built-in registry on local processes', async () => {
    const configuration = await load();
    expect(configuration.file).toBeUndefined();
    expect(configuration.runtime).toBe('process');
    expect(configuration.dataRoot).toBe(join(root, '.local/share/nexus3'));
    expect(configuration.environments.map(({ name }) => name)).toEqual(PROTOCOL_REGISTRY.map(({ name }) => name));
    expect(configuration.environments[0]?.settings).toEqual(DEFAULT_SETTINGS);
  });

  it('takes --config before $NEXUS3_CONFIG before ./nexus3.yaml before the XDG folder', async () => {
    const named = await write('network: named', join(root, 'a.yaml'));
    const fromEnv = await write('network: env', join(root, 'b.yaml'));
    const here = await write('network: here');
    const user = await write('network: user', join(root, '.config/nexus3/nexus3.yaml'));
    expect((await load({ config: '../a.yaml' }, { NEXUS3_CONFIG: fromEnv })).file).toBe(named);
    expect((await load({}, { NEXUS3_CONFIG: fromEnv })).network).toBe('env');
    expect((await load({}, { NEXUS3_CONFIG: '' })).network).toBe('here');
    await rm(here);
    expect((await load()).file).toBe(user);
    const xdg = await write('network: xdg', join(root, 'xdg/nexus3/nexus3.yaml'));
    expect((await load({}, { XDG_CONFIG_HOME: join(root, 'xdg') })).file).toBe(xdg);
    expect((await load({}, { XDG_CONFIG_HOME: 'relative' })).file).toBe(user);
  });

  it.each([
    [{ config: 'gone.yaml' }, {}, '--config'],
    [{}, { NEXUS3_CONFIG: '/gone/nexus3.yaml' }, '$NEXUS3_CONFIG'],
  ])('refuses a named file that is not there', async (overrides, env: Record<string, string>, by) => {
    await write('version: 1');
    const error = await refusal(load(overrides, env));
    expect(error.code).toBe('CONFIG_NOT_FOUND');
    expect(error.evidence).toEqual([`named by ${by}`]);
  });

  it('refuses a folder, a pipe, a huge file and a file that is not text, each in bounded time', async () => {
    expect((await refusal(load({ config: root }))).evidence).toEqual(['not a regular file']);
    const pipe = join(root, 'pipe');
    execFileSync('sh', ['-c', 'mkfifo "$0"', pipe]);
    expect((await refusal(load({ config: pipe }))).evidence).toEqual(['not a regular file']);
    const huge = await write('#'.repeat(CONFIG_BYTES_MAX + 1), join(root, 'huge.yaml'));
    expect((await refusal(load({ config: huge }))).evidence).toEqual(['larger than 512 KiB']);
    const binary = join(root, 'binary.yaml');
    await writeFile(binary, Buffer.from([0x76, 0xff, 0xfe]));
    expect((await refusal(load({ config: binary }))).evidence).toEqual(['not UTF-8 text']);
  });
});

describe('overrides and paths', () => {
  it('puts the data of containers where the protocol has them', async () => {
    expect((await load({ runtime: 'docker' })).dataRoot).toBe('/data/nexus3');
    expect((await load({}, { XDG_DATA_HOME: '/x' })).dataRoot).toBe('/x/nexus3');
  });

  it('takes paths in the file relative to its folder, and --data-root relative to the current one', async () => {
    const file = await write('dataRoot: data\nengine: ./bin/redis-server\nmodule: none', join(root, 'etc/n.yaml'));
    const configuration = await load({ config: file });
    expect(configuration.dataRoot).toBe(join(root, 'etc/data'));
    expect(configuration.engine).toBe(join(root, 'etc/bin/redis-server'));
    expect(configuration.module).toBe('none');
    expect((await load({ config: file, dataRoot: 'd' })).dataRoot).toBe(join(cwd, 'd'));
    await write('dataRoot: ~/n3');
    expect((await load()).dataRoot).toBe(join(root, 'n3'));
  });

  it('refuses a runtime that there is not', async () => {
    const error = await refusal(load({ runtime: 'dokcer' }));
    expect(error.code).toBe('USAGE');
    expect(error.message).toBe('There is no runtime "dokcer" (did you mean "docker"?).');
  });
});

describe('what the file may hold', () => {
  it('fills in what is left out, implies Locker and sorts by port', async () => {
    await write('runtime: docker\nenvironments:\n  web: { vault: 6730 }\n  track: { vault: 6640, kind: secure }\n');
    const configuration = await load();
    expect(configuration).toMatchObject({
      runtime: 'docker',
      dataRoot: '/data/nexus3',
      network: 'nexus-storage-network',
      image: 'falkordb/falkordb:latest',
      containerPrefix: 'nexus3',
      bind: '127.0.0.1',
      engine: undefined,
      module: undefined,
    });
    expect(configuration.environments.map(({ name, kind, vaultPort }) => [name, kind, vaultPort])).toEqual([
      ['track', 'secure', 6640],
      ['locker', 'secure', 6720],
      ['web', 'standard', 6730],
    ]);
  });

  it('bounds Locker’s audit, and says each mistake in that', async () => {
    await write('version: 1\nenvironments: {}\n');
    expect((await load()).audit).toEqual({ entriesMax: 100_000 });
    await write('audit: { entriesMax: 500 }\nenvironments: {}\n');
    expect((await load()).audit).toEqual({ entriesMax: 500 });
    await write('audit: { entriesMax: 3, entryMax: 4 }\nenvironments: {}\n');
    expect((await refusal(load())).evidence).toEqual([
      'nexus3.yaml:1: audit.entriesMax: 3 is not a number of entries (10–1000000)',
      'nexus3.yaml:1: audit.entryMax: there is no such key',
    ]);
  });

  it('lets Locker have another port, and only that', async () => {
    await write('environments:\n  locker: { vault: 7720 }');
    expect((await load()).environments.map(({ kind, vaultPort }) => [kind, vaultPort])).toEqual([['secure', 7720]]);
    expect(await mistakes('environments:\n  locker: { vault: 7720, kind: standard }')).toEqual([
      'nexus3.yaml:2: environments.locker.kind: Locker is a Secure Environment; write secure, or leave it out',
    ]);
  });

  it('merges settings: the defaults, those for all, those of one environment', async () => {
    await write(`settings: &all { maxmemory: 1gb, threads: 2, save: "900  1" }
environments:
  a: { vault: 7000, settings: { threads: 4, lagBytesMax: 1mb, save: "" } }
  b: { vault: 7010, settings: *all }
  c: { vault: 7020, settings: { appendfsync: always, queryTimeoutMs: 5, queryQueueMax: 6, maxmemory: 1000 } }
`);
    const [, a, b, c] = (await load()).environments;
    const all = { ...DEFAULT_SETTINGS, maxmemory: '1073741824', threads: 2, save: '900 1' };
    expect(a?.settings).toEqual({ ...all, threads: 4, lagBytesMax: 1_048_576, save: '' });
    expect(b?.settings).toEqual(all);
    expect(c?.settings).toEqual({
      ...all,
      appendfsync: 'always',
      queryTimeoutMs: 5,
      queryQueueMax: 6,
      maxmemory: '1000',
    });
  });

  it('reports every mistake at once, each with its line', async () => {
    const found = await mistakes(`version: 2
runtime: dokcer
dataRot: /x
network: "a b"
bind: localhost
image: [a]
containerPrefix:
settings:
  save: "3600"
  maxmemory: 1tb
  threads: 0
  appendfsync: allways
  lagBytesMax: -1
  queryTimeoutMs: "5"
environments:
  track:
    vault: 70000
    kind: secur
    operational: 6641
  web: 6670
  kb: {}
  "../x": { vault: 1023 }
  a b: { vault: 6.5 }
  $(id): { vault: 6700 }
  ${'x'.repeat(300)}: { vault: 6710 }
  high: { vault: 65534 }
`);
    expect(found).toMatchSnapshot();
    expect(found.length).toBe(25);
  });

  it('names the later of two that want one port, with the line of the earlier', async () => {
    expect(
      await mistakes(`environments:
  a: { vault: 7000 }
  b: { vault: 7001 }
  c: { vault: 6999 }
  d: { vault: 6720 }
  a: { vault: 7100 }
`),
    ).toEqual([
      'nexus3.yaml:3: environments.b.vault: 7001 is the port of a/operational (line 2)',
      'nexus3.yaml:4: environments.c.vault: 7000, its operational’s, is the port of a/vault (line 2)',
      'nexus3.yaml:5: environments.d.vault: 6720 is the port of locker/vault (implied by every configuration)',
      'nexus3.yaml:6: environments.a: is written twice; the first is on line 2',
    ]);
  });

  it.each([
    ['', 'nexus3.yaml:1: the file is empty; it begins with `version: 1` and `environments:`'],
    ['- a', 'nexus3.yaml:1: the file is not a map; it begins with `version: 1` and `environments:`'],
    ['version: 1\nenvironments:\n\ttrack: 1', 'nexus3.yaml:3: is not valid YAML: Tabs are not allowed as indentation'],
    ['a: *b', 'nexus3.yaml:1: "*b" refers to nothing above it'],
    ['a: &a [*a]', 'nexus3.yaml:1: is nested too deeply'],
    ['a: 1\n---\nb: 1', 'nexus3.yaml:2: a second document begins; there may be one'],
    ['? [x]\n: 1', 'nexus3.yaml:1: a key must be a plain word'],
    ['runtime: !!js/function x', 'nexus3.yaml:1: is not valid YAML: Unresolved tag: tag:yaml.org,2002:js/function'],
  ])('refuses %j', async (text, mistake) => {
    expect(await mistakes(text)).toContain(mistake);
  });

  it('refuses what is nested too deeply', async () => {
    expect(await mistakes('['.repeat(100_000))).toEqual(['nexus3.yaml:1: is nested too deeply']);
  });

  it('refuses an alias bomb at once', async () => {
    const levels = Array.from({ length: 12 }, (_, index) => {
      const above = index === 0 ? '' : `*x${String(index - 1)}, `.repeat(9);
      return `x${String(index)}: &x${String(index)} [${above}1]`;
    });
    const before = Date.now();
    expect(await mistakes(levels.join('\n'))).toHaveLength(1);
    expect(Date.now() - before).toBeLessThan(2_000);
  });

  it('refuses what becomes too much once its aliases are written out', async () => {
    const list = `a: &a [${'1, '.repeat(3_000)}1]\n`;
    const uses = Array.from({ length: 20 }, (_, index) => `b${String(index)}: *a`);
    expect(await mistakes(list + uses.join('\n'))).toEqual([expect.stringContaining('holds too much')]);
  });

  it('refuses more environments than it is made for, and lists at most so many mistakes', async () => {
    const many = Array.from(
      { length: ENVIRONMENTS_MAX + 1 },
      (_, i) => `  e${String(i)}: { vault: ${String(10_000 + 2 * i)} }`,
    );
    expect(await mistakes(`environments:\n${many.join('\n')}`)).toEqual([
      'nexus3.yaml:1: environments: there are 1001 environments; one file may hold 1000',
    ]);
    await write(`environments:\n${many.slice(1).join('\n')}`);
    expect((await load()).environments).toHaveLength(ENVIRONMENTS_MAX + 1);
    const wrong = await mistakes(Array.from({ length: 70 }, (_, i) => `key${String(i)}: 1`).join('\n'));
    expect(wrong).toHaveLength(51);
    expect(wrong.at(-1)).toBe('… and 20 more');
  });
});

describe('Locker', () => {
  it('is durable whatever the settings for all say', async () => {
    const text = 'version: 1\nsettings: { appendfsync: "no" }\nenvironments:\n  track: { vault: 6640 }\n';
    const { environments } = await parseConfigText({ path: '/nexus3.yaml', text });
    const settingOf = (name: string): unknown => environments.find((one) => one.name === name)?.settings.appendfsync;
    expect([settingOf('locker'), settingOf('track')]).toEqual(['everysec', 'no']);
  });
});

describe('a data root', () => {
  it.each(['/srv/[one]', '/srv/a*', '/srv/what?'])(
    '%s is refused, because Redis reads it as a pattern',
    async (path) => {
      const loading = loadConfiguration({ dataRoot: path }, { cwd: '/', env: { HOME: '/nowhere' } });
      await expect(loading).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    },
  );
});
