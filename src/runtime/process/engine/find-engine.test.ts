import { mkdir, mkdtemp, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../../../test/support/engine.js';
import { failureOf } from '../../../../test/support/failure.js';
import { SILENT } from '../../../progress.js';
import { quoteSh } from '../../../protocol/start-script.js';
import type { Engine } from './engine.js';
import { fetchPrivateEngine } from './fetch-private-engine.js';
import { explainEngines, findEngine } from './find-engine.js';
import { engineHome } from './surroundings.js';
import { parseBanner } from './trial.js';

let real: Engine;
let folder: string;

beforeAll(async () => {
  real = await testEngine();
}, ENGINE_TIMEOUT_MS);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-engines-'));
});

afterEach(() => rm(folder, { recursive: true }));

/** An executable in a folder of its own. */
async function program(name: string, body: string): Promise<string> {
  const path = join(folder, 'bin', name);
  await mkdir(join(folder, 'bin'), { recursive: true });
  await writeFile(path, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
  return path;
}

/** The real engine under one path, counting how often it is started. */
async function realProgram(name = 'redis-server'): Promise<string> {
  return program(
    name,
    `echo x >> ${quoteSh(join(folder, 'starts'))}\nexec ${real.command.map(quoteSh).join(' ')} "$@"`,
  );
}

async function starts(): Promise<number> {
  return (await readFile(join(folder, 'starts'), 'utf8')).length / 2;
}

/** An environment in which nothing is known but what the test puts there. */
function env(more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  const PATH = [join(folder, 'bin'), '/usr/bin', '/bin'].join(delimiter);
  return { PATH, NEXUS3_ENGINE_HOME: join(folder, 'home'), ...more };
}

describe('an engine that is named', () => {
  it('is taken when it carries the graph module', async () => {
    const engine = await realProgram('my-server');
    const found = await findEngine({ engine, env: env() });
    expect(found).toEqual({ ...real, command: [engine], strategy: 'explicit' });
    expect(await findEngine({ env: env({ NEXUS3_ENGINE: engine }) })).toEqual(found);
  });

  it('is the only one considered', async () => {
    await realProgram();
    const failure = await failureOf(findEngine({ engine: join(folder, 'nowhere'), env: env() }));
    expect(failure.code).toBe('ENGINE_NOT_FOUND');
    expect(failure.evidence).toHaveLength(1);
    expect(failure.evidence[0]).toContain('nowhere is not there');
  });

  it('is refused with its reason: too old, not an engine, mute, or a module that does not load', async () => {
    const why = async (body: string, module?: string): Promise<string> => {
      const engine = await program('odd-server', body);
      return (await failureOf(findEngine({ engine, module, env: env() }))).evidence.join();
    };
    expect(await why('echo Redis server v=7.0.15 sha=0')).toContain('redis 7.0.15, and the graph module needs 7.2');
    expect(await why('echo hello')).toContain('not that of a redis-server');
    expect(await why('echo broken >&2; exit 1')).toContain('broken');
    const run = `exec ${real.command.map(quoteSh).join(' ')} "$@"`;
    expect(await why(run, '/etc/hostname')).toMatch(/the graph module does not load: .*invalid ELF|does not load/);
    expect(await why(run, '/nowhere.so')).toContain('graph module that was named is not there');
  });

  it('may carry no module, on purpose', async () => {
    const engine = await realProgram();
    const found = await findEngine({ engine, module: 'none', env: env() });
    expect(found).toMatchObject({ modulePath: undefined, graphModule: 0, version: real.version });
  });
});

describe('an engine that is looked for', () => {
  it('is found on PATH', async () => {
    const server = await realProgram('valkey-server');
    const report = (await explainEngines({ env: env() })).find(({ strategy }) => strategy === 'path');
    expect(report?.engine?.command).toEqual([server]);
  });

  it('is tried once: the second time starts nothing, until its file changes', async () => {
    const engine = await realProgram();
    await findEngine({ engine, env: env() });
    const once = await starts();
    await findEngine({ engine, env: env() });
    expect(await starts()).toBe(once);
    await utimes(engine, new Date(), new Date(0));
    await findEngine({ engine, env: env() });
    expect(await starts()).toBe(2 * once);
  });

  it('is tried again where the verdicts cannot be read or kept', async () => {
    const engine = await realProgram();
    await mkdir(join(folder, 'home'));
    await writeFile(join(folder, 'home', 'verdicts.json'), '{"format":1,"verdicts":[["x",{"ok":true}],');
    expect((await findEngine({ engine, env: env() })).version).toBe(real.version);
    await writeFile(join(folder, 'file'), '');
    const blocked = env({ NEXUS3_ENGINE_HOME: join(folder, 'file', 'home') });
    expect((await findEngine({ engine, env: blocked })).version).toBe(real.version);
  });

  it('is missed with one line a strategy and the ways out', async () => {
    const failure = await failureOf(findEngine({ module: '/nowhere.so', env: env() }));
    expect(failure.evidence).toHaveLength(4);
    expect(failure.hint).toMatch(/nexus3 engine fetch.*runtime: docker/);
    expect(failure.exitCode).toBe(3);
  });
});

describe('the engine folder', () => {
  it('is the one named, else in the XDG data folder, else in the home', () => {
    expect(engineHome({ NEXUS3_ENGINE_HOME: '/e' })).toBe('/e');
    expect(engineHome({ XDG_DATA_HOME: '/x', HOME: '/h' })).toBe('/x/nexus3-engine');
    expect(engineHome({ XDG_DATA_HOME: 'relative', HOME: '/h' })).toBe('/h/.local/share/nexus3-engine');
  });
});

describe('a banner', () => {
  it('names the kind and the version', () => {
    const valkey = 'Valkey server v=8.0.1 sha=00000000:0 malloc=jemalloc-5.3.0 bits=64 build=1';
    expect(parseBanner(valkey)).toMatchObject({ kind: 'valkey', version: '8.0.1' });
    expect(parseBanner('valkey-cli 8.0.1')).toBeUndefined();
  });
});

describe('fetching where it cannot be done', () => {
  it('says so, with the ways out', async () => {
    const nowhere = { ...process.env, PATH: join(folder, 'bin') };
    const failure = await failureOf(withPath(nowhere.PATH, () => fetchPrivateEngine({ env: env() }, SILENT)));
    expect(failure.code).toBe('ENGINE_NOT_FOUND');
    expect(failure.message).toContain('there is no apt-config');
    expect(failure.hint).toContain('--runtime docker');
  });
});

async function withPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  const before = process.env['PATH'];
  // flock is needed to get as far as apt.
  await program('flock', 'exec /usr/bin/flock "$@"');
  process.env['PATH'] = path;
  try {
    return await work();
  } finally {
    process.env['PATH'] = before;
  }
}
