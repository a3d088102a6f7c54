/** Clients of `connect` that write and read in all of its ways at once, and write down what they did and were told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { EnvironmentClient } from '../../src/compose-client.js';
import { Nexus3Error } from '../../src/errors.js';
import type { HistoryRecorder, NotVisible, Outcome, Shape } from './client-history.js';
import { chance } from './random.js';

/** All clients' nodes are in it. */
export const HISTORY_GRAPH = 'history';
const COUNTERS_COUNT = 2;
/** Each client does so many things at a time. */
const LANES = 2;
/** Of a lane; with 8 clients about a thousand operations a second. */
const PAUSE_MS = 8;
const READ_SHARE = 0.6;
/** Of each client's registers so many are asked of the operational: more than it writes at a time. */
const ASKED_EACH_COUNT = 16;
const SHAPES = ['string', 'list', 'graph', 'counter'] as const;

export interface Load extends AsyncDisposable {
  /** Ends it: whatever is under way is waited for. All registers. */
  stop(): Promise<ReadonlyMap<string, Shape>>;
}

export interface LoadOptions {
  readonly seed: number;
  /** Of all keys and nodes, so that each load has its own. */
  readonly prefix: string;
  /** What the operational has of these at this moment, asked past the clients. */
  readonly askOperational: (registers: ReadonlyMap<string, Shape>) => Promise<ReadonlyMap<string, number>>;
}

/** @param clients connected already; they stay so. */
export async function startClientLoad(
  clients: readonly EnvironmentClient[],
  recorder: HistoryRecorder,
  { seed, prefix, askOperational }: LoadOptions,
): Promise<Load> {
  const counters = Array.from({ length: COUNTERS_COUNT }, (_, index) => `${prefix}:counter:${String(index)}`);
  const registers = new Map<string, Shape>(counters.map((name) => [name, 'counter']));
  const opened = await Promise.all(clients.map((client) => openWays(client)));
  const seen: State['seen'] = async () => {
    const latest = opened.flatMap(({ own }) => own.slice(-ASKED_EACH_COUNT));
    const asked = [
      ...latest.map(({ name, shape }) => [name, shape] as const),
      ...counters.map((name) => [name, 'counter'] as const),
    ];
    return { had: await askOperational(new Map(asked)), askedMs: recorder.now() };
  };
  const state: State = { isOver: false, prefix, counters, registers, recorder, seen };
  const running = Promise.all(
    opened.flatMap((ways, client) =>
      Array.from({ length: LANES }, (_, lane) =>
        runLane(client, lane, ways, state, chance(seed + 1_000 * client + lane)),
      ),
    ),
  );
  const stop: Load['stop'] = async () => {
    state.isOver = true;
    await running;
    return state.registers;
  };
  return {
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}

interface State {
  isOver: boolean;
  readonly prefix: string;
  readonly counters: readonly string[];
  readonly registers: Map<string, Shape>;
  readonly recorder: HistoryRecorder;
  readonly seen: () => Promise<NotVisible>;
}

/** A register of a lane: it alone writes it. */
interface Register {
  readonly name: string;
  readonly shape: Shape;
  value: number;
}

interface Ways {
  readonly client: EnvironmentClient;
  readonly duplicate: EnvironmentClient['vault'];
  readonly pool: ReturnType<EnvironmentClient['vault']['createPool']>;
  /** All that this client has written or writes. */
  readonly own: Register[];
}

async function openWays(client: EnvironmentClient): Promise<Ways> {
  const duplicate = client.vault.duplicate();
  const pool = client.vault.createPool({ minimum: 1, maximum: 2 });
  // As node-redis wants it; what went wrong is in the rejection of the command, too.
  for (const one of [duplicate, pool]) one.on('error', () => undefined);
  await Promise.all([duplicate.connect(), pool.connect()]);
  return { client, duplicate, pool, own: [] };
}

type Random = () => number;

async function runLane(index: number, lane: number, ways: Ways, state: State, random: Random): Promise<void> {
  const current = new Map<Shape, Register>();
  let made = 0;
  while (!state.isOver) {
    const shape = pick(SHAPES, random);
    if (random() < READ_SHARE) {
      await readOnce(index, pickRegisters(ways.own, state.counters, random), ways, state, random);
    } else if (shape === 'counter') {
      await increment(index, pick(state.counters, random), ways, state.recorder, random);
    } else {
      const register =
        current.get(shape) ??
        newRegister(`${state.prefix}:${String(index)}:${String(lane)}:${String((made += 1))}`, shape);
      if (register.value === 0) {
        ways.own.push(register);
        state.registers.set(register.name, shape);
      }
      const outcome = await writeOnce(index, register, ways, state.recorder, random);
      // Nobody knows what it holds from now on: it is only read.
      if (outcome === 'unknown') current.delete(shape);
      else current.set(shape, register);
    }
    await sleep(PAUSE_MS * 2 * random());
  }
}

const newRegister = (name: string, shape: Shape): Register => ({ name, shape, value: 0 });
const pick = <One>(all: readonly One[], random: Random): One => {
  const one = all[Math.floor(random() * all.length)];
  if (one === undefined) throw new Error('nothing to pick from');
  return one;
};

const LATEST = 8;

/** One or two; most often those that are written now. */
function pickRegisters(own: readonly Register[], shared: readonly string[], random: Random): readonly Register[] {
  const counters = shared.map((name) => newRegister(name, 'counter'));
  const from = [...(random() < 0.8 ? own.slice(-LATEST) : own), ...counters];
  const [first, second] = [pick(from, random), pick(from, random)];
  return first.shape === 'graph' || second.shape === 'graph' || first === second ? [first] : [first, second];
}

const asNumber = (value: unknown): number => Number(value ?? 0);

async function writeOnce(
  client: number,
  register: Register,
  ways: Ways,
  recorder: HistoryRecorder,
  random: Random,
): Promise<Outcome> {
  const { name, shape } = register;
  const value = (register.value += 1);
  const way = shape === 'graph' ? 'query' : pick(WRITE_WAYS, random);
  const began = recorder.begin({ client, register: name, shape, way });
  try {
    if (way === 'query') await writeNode(ways, name, value);
    else await write(ways, way, shape === 'list' ? ['RPUSH', name, String(value)] : ['SET', name, String(value)]);
    recorder.written(began, 'ok', value);
    return 'ok';
  } catch (error) {
    const outcome = outcomeOf(error);
    recorder.written(began, outcome, value, told(error));
    return outcome;
  }
}

async function increment(
  client: number,
  name: string,
  ways: Ways,
  recorder: HistoryRecorder,
  random: Random,
): Promise<void> {
  const way = pick(WRITE_WAYS, random);
  const began = recorder.begin({ client, register: name, shape: 'counter', way });
  try {
    recorder.written(began, 'ok', Number(await write(ways, way, ['INCR', name])));
  } catch (error) {
    recorder.written(began, outcomeOf(error), undefined, told(error));
  }
}

const WRITE_WAYS = [
  'command',
  'pipeline',
  'multi',
  'duplicate',
  'pipeline of a duplicate',
  'multi of a duplicate',
  'pool',
  'pipeline of a pool',
  'multi of a pool',
] as const;
const READ_WAYS = ['command', 'pipeline', 'multi'] as const;

async function write(
  { client: { vault }, duplicate, pool }: Ways,
  way: (typeof WRITE_WAYS)[number],
  command: readonly [string, string, ...string[]],
): Promise<unknown> {
  const args = [...command];
  switch (way) {
    case 'command':
      return typed(vault, args);
    case 'duplicate':
      return typed(duplicate, args);
    case 'pool':
      return typed(pool, args);
    case 'pipeline':
      return (await vault.multi().addCommand(args).execAsPipeline())[0];
    case 'pipeline of a duplicate':
      return (await duplicate.multi().addCommand(args).execAsPipeline())[0];
    case 'pipeline of a pool':
      return (await pool.multi().addCommand(args).execAsPipeline())[0];
    case 'multi':
      return (await vault.multi().addCommand(args).exec())[0];
    case 'multi of a duplicate':
      return (await duplicate.multi().addCommand(args).exec())[0];
    case 'multi of a pool':
      return (await pool.multi().addCommand(args).exec())[0];
  }
}

/** By the typed methods, as a program calls them. */
async function typed(
  on: Pick<EnvironmentClient['vault'], 'set' | 'rPush' | 'incr'>,
  [command, key = '', value = '']: readonly string[],
): Promise<unknown> {
  if (command === 'SET') return on.set(key, value);
  return command === 'RPUSH' ? on.rPush(key, value) : on.incr(key);
}

async function writeNode({ client }: Ways, register: string, n: number): Promise<void> {
  const query = 'MERGE (r:Register {id: $register}) SET r.n = $n CREATE (:Note {register: $register, n: $n})';
  await client.graph(HISTORY_GRAPH).query(query, { params: { register, n } });
}

async function readOnce(
  client: number,
  registers: readonly Register[],
  { client: whole }: Ways,
  { recorder, seen }: State,
  random: Random,
): Promise<void> {
  const isGraph = registers[0]?.shape === 'graph';
  const way = isGraph ? 'roQuery' : pick(READ_WAYS, random);
  const began = registers.map(({ name, shape }) => recorder.begin({ client, register: name, shape, way }));
  const commands = registers.map(({ name, shape }) => (shape === 'list' ? ['LINDEX', name, '-1'] : ['GET', name]));
  try {
    let values: readonly unknown[];
    if (isGraph) values = [await readNode(whole, registers[0]?.name ?? '')];
    else if (way === 'command') values = await Promise.all(commands.map((args) => readOne(whole.operational, args)));
    else {
      const multi = commands.reduce((all, args) => all.addCommand(args), whole.operational.multi());
      values = await (way === 'multi' ? multi.exec() : multi.execAsPipeline());
    }
    began.forEach((one, position) => {
      recorder.wasRead(one, asNumber(values[position]));
    });
  } catch (error) {
    const endedMs = recorder.now();
    const isNotVisible = error instanceof Nexus3Error && error.code === 'WRITES_NOT_VISIBLE';
    // Where it cannot be asked, nothing is excused.
    const notVisible = isNotVisible ? await seen().catch(() => undefined) : undefined;
    for (const one of began) recorder.readFailed(one, endedMs, told(error), notVisible);
  }
}

async function readOne(on: EnvironmentClient['operational'], [command, key = '']: readonly string[]): Promise<unknown> {
  return command === 'GET' ? on.get(key) : on.lIndex(key, -1);
}

async function readNode(client: EnvironmentClient, id: string): Promise<unknown> {
  const query = 'MATCH (r:Register {id: $id}) RETURN r.n AS n';
  const { data } = await client.graph(HISTORY_GRAPH).roQuery<{ n: number }>(query, { params: { id } });
  return data?.[0]?.n;
}

/** Only what says that it was not sent was not. */
export function outcomeOf(error: unknown): Outcome {
  return error instanceof Nexus3Error && error.outcome === 'not-sent' ? 'refused' : 'unknown';
}

function told(error: unknown): string {
  if (error instanceof Nexus3Error) return [`${error.code}: ${error.message}`, ...error.evidence].join(' | ');
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
