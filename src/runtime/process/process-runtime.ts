/**
 * The embedded runtime: instances are local servers of the user who runs nexus3. They outlive the command that started
 * them, and the next command finds them again.
 */
import { existsSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { Nexus3Error } from '../../errors.js';
import type { ProcessIdentity } from '../../process-identity.js';
import { identify, isAlive, liveStat } from '../../process-identity.js';
import type { InstanceKey } from '../../protocol/environment.js';
import { instanceKey } from '../../protocol/environment.js';
import type { Placement } from '../../protocol/redis-conf.js';
import type {
  InstanceRuntimeState,
  InstanceSpec,
  Runtime,
  RuntimeObservation,
  Scratch,
  ScratchPlacement,
  ScratchSpec,
} from '../runtime.js';
import { reachableHost } from './address.js';
import type { Sight } from './describe-run.js';
import { describeRun } from './describe-run.js';
import type { Engine, EngineOptions } from './engine/engine.js';
import { findEngine } from './engine/find-engine.js';
import { withInstanceLock } from './instance-lock.js';
import { followLog, readLastLines } from './log-file.js';
import type { RunRecord } from './run-record.js';
import { newRecord, readRecord, removeHalfWritten, runFiles, writeRecord } from './run-record.js';
import { startScratchProcess } from './scratch.js';
import { findServer } from './server-search.js';
import { refuseTakenPort, startServer } from './start-server.js';
import { stopServer } from './stop-server.js';

export class ProcessRuntime implements Runtime {
  readonly name = 'process';
  readonly #engineOptions: EngineOptions;
  #engine: Engine | undefined;

  constructor(engineOptions: EngineOptions = {}) {
    this.#engineOptions = engineOptions;
  }

  async ready(): Promise<void> {
    this.#engine ??= await findEngine(this.#engineOptions);
  }

  placement(spec: InstanceSpec, vaultPort: number): Placement {
    if (this.#engine === undefined) throw new Error('placement() before ready()');
    return {
      engineCommand: this.#engine.command,
      modulePath: this.#engine.modulePath,
      configDir: spec.configDir,
      dataDir: spec.dataDir,
      port: spec.port,
      bind: [spec.bind],
      vaultAddress: { host: reachableHost(spec.bind), port: vaultPort },
    };
  }

  newFolderOwner(): undefined {
    return undefined;
  }

  observe(specs: readonly InstanceSpec[]): Promise<RuntimeObservation> {
    const instances = new Map<InstanceKey, InstanceRuntimeState>();
    for (const spec of specs) {
      const record = readRecord(spec);
      if (record !== undefined) instances.set(instanceKey(spec.id), describeRun(spec, record, whatRuns(spec, record)));
    }
    return Promise.resolve({ network: 'not-applicable', instances });
  }

  ensureNetwork(): Promise<void> {
    return Promise.resolve();
  }

  connectNetwork(): Promise<void> {
    return Promise.resolve();
  }

  /** An instance that is there already is left as it is. @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
  async create(spec: InstanceSpec): Promise<void> {
    await withInstanceLock(spec, async () => {
      if (readRecord(spec) !== undefined) return;
      // Its record may have been deleted while it ran: then it is this server that is found again.
      const server = findServer(runFiles(spec).tether);
      await writeRecord(
        spec,
        server === undefined ? newRecord(spec) : { ...newRecord(spec), wanted: 'running', server },
      );
    });
  }

  async start(spec: InstanceSpec): Promise<void> {
    await withInstanceLock(spec, async () => {
      const record = readRecord(spec);
      if (record === undefined) throw notCreated(spec);
      const present = findRunning(spec, record);
      if (present === undefined) {
        await this.#startStopped(spec);
      } else if (present !== record.server || record.wanted !== 'running') {
        await writeRecord(spec, { ...record, wanted: 'running', server: present, startedBy: undefined });
      }
    });
  }

  /** What is about to happen is written down before it happens. */
  async #startStopped(spec: InstanceSpec): Promise<void> {
    refuseTakenPort(spec);
    const startedAt = new Date().toISOString();
    const intent: RunRecord = { ...newRecord(spec), wanted: 'running', startedBy: identify(process.pid), startedAt };
    await writeRecord(spec, intent);
    let running: RunRecord = { ...intent, startedBy: undefined };
    const outcome = await startServer(spec, async (server) => {
      running = { ...running, server };
      await writeRecord(spec, running);
    });
    if (outcome.state === 'listening') return;
    await writeRecord(spec, { ...running, exitCode: outcome.exitCode });
    if (outcome.state === 'failed') throw outcome.error;
  }

  async stop(spec: InstanceSpec): Promise<void> {
    if (readRecord(spec) === undefined) return;
    await withInstanceLock(spec, async () => {
      const record = readRecord(spec);
      if (record === undefined) return;
      const server = findRunning(spec, record);
      if (server === undefined && record.wanted === 'stopped') return;
      const wanted: RunRecord = { ...record, wanted: 'stopped', server, startedBy: undefined };
      // A full or read-only disk must not keep a server from being stopped: it is stopped first and told then.
      const written = await writeRecord(spec, wanted).then(
        () => undefined,
        (error: unknown) => ({ error }),
      );
      if (server !== undefined) await stopServer(spec, server);
      if (written !== undefined) throw written.error;
    });
  }

  async remove(spec: InstanceSpec): Promise<void> {
    const files = runFiles(spec);
    // The record goes last but for the lock, and what a killed `remove` has left is taken away by the next one.
    const all = [files.log, files.oldLog, files.tether, files.record, files.lock];
    if (!all.some((file) => existsSync(file)) && findServer(files.tether) === undefined) return;
    await withInstanceLock(spec, async () => {
      const record = readRecord(spec);
      const server = record === undefined ? findServer(files.tether) : findRunning(spec, record);
      if (server !== undefined) await stopServer(spec, server);
      await removeHalfWritten(files);
      for (const file of all) await rm(file, { force: true });
    });
    // Only when the other instance of the environment has nothing in it either.
    await rmdir(files.folder).catch(() => undefined);
  }

  logs(spec: InstanceSpec, lines: number): Promise<readonly string[]> {
    return readLastLines(runFiles(spec), lines);
  }

  followLogs(spec: InstanceSpec, onLine: (line: string) => void, signal: AbortSignal): Promise<void> {
    return followLog(runFiles(spec).log, onLine, signal);
  }

  scratchPlacement(dir: string): ScratchPlacement {
    if (this.#engine === undefined) throw new Error('scratchPlacement() before ready()');
    return { engineCommand: this.#engine.command, modulePath: this.#engine.modulePath, dir };
  }

  startScratch(spec: ScratchSpec): Promise<Scratch> {
    return startScratchProcess(spec);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/**
 * The server of a record, for one who holds the instance's lock: nobody else is starting one, so a record that names a
 * starter but no server is one whose starter did not get to write the server down. A child between fork and exec, which
 * does not hold its tether yet, still has its copy of the starter's lock: whoever has the lock sees the tether.
 */
function findRunning(spec: InstanceSpec, record: RunRecord): ProcessIdentity | undefined {
  if (record.server !== undefined && isAlive(record.server)) return record.server;
  return record.startedBy === undefined ? undefined : findServer(runFiles(spec).tether);
}

/** The same for an onlooker, who may come between the intent and the server. */
function whatRuns(spec: InstanceSpec, record: RunRecord): Sight {
  const { server, startedBy } = record;
  const stat = server === undefined ? undefined : liveStat(server);
  if (server !== undefined && stat !== undefined) return { server, stat: stat.state };
  if (startedBy === undefined) return undefined;
  const found = findServer(runFiles(spec).tether);
  if (found !== undefined) return { server: found, stat: liveStat(found)?.state ?? 'R' };
  return isAlive(startedBy) ? 'starting' : undefined;
}

function notCreated(spec: InstanceSpec): Nexus3Error {
  return new Nexus3Error('START_FAILED', `${instanceKey(spec.id)} does not exist yet, so it cannot be started.`, {
    evidence: [`${runFiles(spec).record} is not there`],
    hint: `Make it: nexus3 up ${spec.id.env}`,
  });
}
