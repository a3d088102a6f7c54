/** What a record and a look at the process say of an instance. Pure. */
import type { ProcessIdentity } from '../../process-identity.js';
import type { InstanceRuntimeState, InstanceSpec, InstanceState, SpecDifference } from '../runtime.js';
import { isLoopback, reachableHost } from './address.js';
import type { RunRecord } from './run-record.js';

/** `stat` is the process state of proc(5). */
export type Sight = { readonly server: ProcessIdentity; readonly stat: string } | 'starting' | undefined;

export function describeRun(spec: InstanceSpec, record: RunRecord, sight: Sight): InstanceRuntimeState {
  const state = stateOf(sight);
  // The next start takes port and address from the spec; those of the record are of a server that still has them.
  const { port, bind } = state === 'stopped' ? spec : record;
  return {
    id: spec.id,
    owned: true,
    state,
    exitCode: state === 'stopped' ? record.exitCode : undefined,
    endedUnexpectedly: state === 'stopped' && record.wanted === 'running',
    restartCount: 0,
    startedAt: record.startedAt,
    address: { host: reachableHost(bind), port },
    exposedOn: isLoopback(bind) ? undefined : bind,
    networkAddress: undefined,
    differences: differences(spec, { port, bind }),
    secretInArguments: false,
    pid: sight === undefined || sight === 'starting' ? 0 : sight.server.pid,
  };
}

function stateOf(sight: Sight): InstanceState {
  if (sight === undefined) return 'stopped';
  if (sight === 'starting') return 'starting';
  return sight.stat === 'T' ? 'paused' : 'running';
}

function differences(spec: InstanceSpec, actual: { port: number; bind: string }): readonly SpecDifference[] {
  if (spec.port === actual.port && spec.bind === actual.bind) return [];
  const text = ({ bind, port }: { port: number; bind: string }): string => `${bind}:${String(port)}`;
  return [{ aspect: 'port', expected: text(spec), actual: text(actual) }];
}
