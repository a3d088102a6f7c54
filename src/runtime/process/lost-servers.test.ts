/** Servers that nobody wrote down, records that lie, and disks that refuse: no orphan server, no innocent victim. */
import { spawn } from 'node:child_process';
import { appendFile, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS, testEngine } from '../../../test/support/engine.js';
import type { LocalSpecs } from '../../../test/support/local-specs.js';
import { localSpecs } from '../../../test/support/local-specs.js';
import { renderFolders } from '../../../test/support/rendered-folders.js';
import type { ProcessIdentity } from '../../process-identity.js';
import { identify, isAlive } from '../../process-identity.js';
import { instanceKey } from '../../protocol/environment.js';
import { CONFIG_FILE } from '../../protocol/layout.js';
import type { InstanceRuntimeState, InstanceSpec } from '../runtime.js';
import { LOG_BYTES_MAX } from './log-file.js';
import { ProcessRuntime } from './process-runtime.js';
import { newRecord, readRecord, runFiles, UNKNOWN_PROCESS, writeRecord } from './run-record.js';
import { startServer } from './start-server.js';

const runtime = new ProcessRuntime();
const made: InstanceSpec[] = [];
let specs: LocalSpecs;

beforeAll(async () => {
  await testEngine();
  await runtime.ready();
  specs = await localSpecs();
}, ENGINE_TIMEOUT_MS);

afterEach(async () => {
  for (const spec of made.splice(0)) await runtime.remove(spec);
});

afterAll(() => specs.discard());

async function rendered(): Promise<InstanceSpec> {
  const spec = await specs.freshSpec('vault');
  await renderFolders(runtime, spec, 'vault');
  made.push(spec);
  return spec;
}

async function started(): Promise<{ spec: InstanceSpec; server: ProcessIdentity }> {
  const spec = await rendered();
  await runtime.create(spec);
  await runtime.start(spec);
  const server = readRecord(spec)?.server;
  if (server === undefined) throw new Error('no server in the record');
  return { spec, server };
}

/** As the next command sees it. */
async function look(spec: InstanceSpec): Promise<InstanceRuntimeState | undefined> {
  return (await new ProcessRuntime().observe([spec])).instances.get(instanceKey(spec.id));
}

/** What is left when a command is killed after it spawned the server and before it wrote the server down. */
async function killedBeforeTheRecord(): Promise<{ spec: InstanceSpec; server: ProcessIdentity }> {
  const spec = await rendered();
  await writeRecord(spec, { ...newRecord(spec), wanted: 'running', startedBy: UNKNOWN_PROCESS });
  return { spec, server: await spawned(spec) };
}

/** A server that listens and of which no record knows. */
async function spawned(spec: InstanceSpec): Promise<ProcessIdentity> {
  let server: ProcessIdentity | undefined;
  await startServer(spec, (identity) => {
    server = identity;
    return Promise.resolve();
  });
  if (server === undefined) throw new Error('nothing was started');
  return server;
}

describe('a command killed between the server and its record', () => {
  it('leaves a server that the next command sees', async () => {
    const { spec, server } = await killedBeforeTheRecord();
    expect(await look(spec)).toMatchObject({ state: 'running', pid: server.pid });
  });

  it('leaves a server that the next start takes over', async () => {
    const { spec, server } = await killedBeforeTheRecord();
    await runtime.start(spec);
    expect(readRecord(spec)).toMatchObject({ wanted: 'running', server, startedBy: undefined });
  });

  it('leaves a server that the next stop stops', async () => {
    const { spec, server } = await killedBeforeTheRecord();
    await runtime.stop(spec);
    expect(isAlive(server)).toBe(false);
    expect(await look(spec)).toMatchObject({ state: 'stopped', endedUnexpectedly: false });
  });

  it('may as well have left none', async () => {
    const spec = await rendered();
    await writeRecord(spec, { ...newRecord(spec), wanted: 'running', startedBy: UNKNOWN_PROCESS });
    expect(await look(spec)).toMatchObject({ state: 'stopped', endedUnexpectedly: true });
    await runtime.start(spec);
    expect(await look(spec)).toMatchObject({ state: 'running' });
  });

  it('is told from one that is at it right now', async () => {
    const spec = await rendered();
    await writeRecord(spec, { ...newRecord(spec), wanted: 'running', startedBy: identify(process.pid) });
    expect(await look(spec)).toMatchObject({ state: 'starting', pid: 0 });
  });

  it('does not make a saving child of the server pass for it', async () => {
    const spec = await rendered();
    const start = join(spec.configDir, CONFIG_FILE.start);
    // The child holds the tether as well, as the fork that saves a snapshot does.
    await writeFile(start, (await readFile(start, 'utf8')).replace('\nexec ', '\nsleep 5 &\nexec '));
    await writeRecord(spec, { ...newRecord(spec), wanted: 'running', startedBy: UNKNOWN_PROCESS });
    const server = await spawned(spec);
    expect((await look(spec))?.pid).toBe(server.pid);
    process.kill(server.pid, 'SIGKILL');
    await expect.poll(() => isAlive(server)).toBe(false);
    expect(await look(spec)).toMatchObject({ state: 'stopped', pid: 0 });
  });
});

describe('a record that is not to be believed', () => {
  it('of a pid that was given away again harms nobody', async () => {
    const bystander = spawn('sleep', ['60'], { stdio: 'ignore', detached: true });
    try {
      const innocent = identify(bystander.pid ?? 0);
      if (innocent === undefined) throw new Error('there is no bystander');
      const spec = await rendered();
      const server = { ...innocent, startTicks: innocent.startTicks - 1 };
      await writeRecord(spec, { ...newRecord(spec), wanted: 'running', server });
      expect(await look(spec)).toMatchObject({ state: 'stopped', pid: 0, endedUnexpectedly: true });
      await runtime.stop(spec);
      await runtime.remove(spec);
      expect(isAlive(innocent)).toBe(true);
    } finally {
      bystander.kill('SIGKILL');
    }
  });

  it('of another boot is that of a server that has ended', async () => {
    const { spec, server } = await started();
    const record = readRecord(spec);
    if (record === undefined) throw new Error('no record');
    await writeRecord(spec, { ...record, server: { ...server, bootId: 'the boot before' } });
    expect(await look(spec)).toMatchObject({ state: 'stopped', endedUnexpectedly: true, exitCode: undefined });
    await writeRecord(spec, record);
  });

  it('in pieces leads to the server all the same', async () => {
    const { spec, server } = await started();
    await truncate(runFiles(spec).record, 20);
    expect(await look(spec)).toMatchObject({ state: 'running', pid: server.pid });
    await runtime.stop(spec);
    expect(isAlive(server)).toBe(false);
  });

  it('deleted with its whole folder is made again, for the server that still runs', async () => {
    const { spec, server } = await started();
    await rm(runFiles(spec).folder, { recursive: true });
    expect(await look(spec)).toBeUndefined();
    await runtime.create(spec);
    expect(await look(spec)).toMatchObject({ state: 'running', pid: server.pid });
  });

  it('deleted does not hide the server from remove', async () => {
    const { spec, server } = await started();
    await rm(runFiles(spec).folder, { recursive: true });
    await runtime.remove(spec);
    expect(isAlive(server)).toBe(false);
    await expect(stat(runFiles(spec).folder)).rejects.toThrow('ENOENT');
  });
});

describe('what a server gets from its command', () => {
  it('is no secret of the environment', async () => {
    const spec = await rendered();
    await writeFile(join(spec.configDir, CONFIG_FILE.start), 'env\nexit 3\n');
    await runtime.create(spec);
    process.env['NEXUS3_TEST_TOKEN'] = 'hunter2';
    try {
      const failure: unknown = await runtime.start(spec).catch((error: unknown) => error);
      expect(failure).toMatchObject({ code: 'START_FAILED', evidence: expect.arrayContaining(['LANG=C']) as unknown });
      expect(JSON.stringify(failure)).not.toContain('hunter2');
    } finally {
      delete process.env['NEXUS3_TEST_TOKEN'];
    }
    expect(await look(spec)).toMatchObject({ state: 'stopped', exitCode: 3, endedUnexpectedly: true });
  });

  it('is a session of its own, so that Ctrl-C does not reach it', async () => {
    const { server } = await started();
    const fields = (await readFile(`/proc/${String(server.pid)}/stat`, 'utf8')).split(') ').at(-1)?.split(' ') ?? [];
    expect(fields.slice(2, 4)).toEqual([String(server.pid), String(server.pid)]);
  });

  it('is a log that does not grow for ever', async () => {
    const { spec } = await started();
    await runtime.stop(spec);
    const files = runFiles(spec);
    await appendFile(files.log, Buffer.alloc(LOG_BYTES_MAX, 'x'));
    await runtime.start(spec);
    expect((await stat(files.log)).size).toBeLessThan(LOG_BYTES_MAX);
    expect((await stat(files.oldLog)).size).toBeGreaterThan(LOG_BYTES_MAX);
  });
});

describe('a frozen server', () => {
  it('is seen as paused, and ends in good order rather than by force', async () => {
    const { spec, server } = await started();
    process.kill(server.pid, 'SIGSTOP');
    await expect.poll(async () => (await look(spec))?.state).toBe('paused');
    await runtime.stop(spec);
    expect((await runtime.logs(spec, 20)).join('\n')).toContain('Redis is now ready to exit');
  });
});

describe('differences from the spec', () => {
  it('are seen while the server still listens elsewhere', async () => {
    const { spec } = await started();
    const moved = { ...spec, port: spec.port + 1 };
    expect((await look(moved))?.differences).toEqual([
      { aspect: 'port', expected: `127.0.0.1:${String(moved.port)}`, actual: `127.0.0.1:${String(spec.port)}` },
    ]);
    expect((await look(moved))?.address?.port).toBe(spec.port);
    await runtime.stop(spec);
    expect((await look(moved))?.differences).toEqual([]);
  });

  it('name an address beyond loopback', async () => {
    const spec = { ...(await rendered()), bind: '0.0.0.0' };
    await renderFolders(runtime, spec, 'vault');
    await runtime.create(spec);
    await runtime.start(spec);
    expect(await look(spec)).toMatchObject({ exposedOn: '0.0.0.0', address: { host: '127.0.0.1' }, differences: [] });
  });
});

describe('a data root that refuses', () => {
  it('is one clear error', async () => {
    const spec = await specs.freshSpec('vault');
    await mkdir(join(specs.dataRoot, 'blocked'), { recursive: true });
    await writeFile(join(specs.dataRoot, 'blocked', 'file'), '');
    const inFile = { ...spec, dataDir: join(specs.dataRoot, 'blocked', 'file', 'env', 'vault') };
    await expect(runtime.create(inFile)).rejects.toMatchObject({ code: 'FILE_NOT_WRITABLE' });
    expect(await look(inFile)).toBeUndefined();
    await runtime.stop(inFile);
    await runtime.remove(inFile);
  });
});
