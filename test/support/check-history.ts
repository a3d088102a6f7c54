/**
 * Whether a recorded history keeps what the client promises. Pure. Each rule names what it has seen, so that one line
 * is enough to find the calls in the history.
 */
import type { Away, History, Read, Write } from './client-history.js';

export type Rule =
  /** The history itself cannot be judged. */
  | 'malformed'
  /** An acknowledged write is not in the vault at the end. */
  | 'lost'
  /** A write that was said not to be sent is there all the same, or was seen. */
  | 'refused-but-done'
  /** Something was written more often than it was asked for, or by nobody. */
  | 'done-twice'
  | 'never-written'
  /** A read does not see what its own client had been told is written. */
  | 'stale'
  /** A read failed though one of the servers could answer it. */
  | 'read-failed'
  /** A write failed though the vault was there. */
  | 'write-failed'
  /** A write was sent into a vault that was known to be away. */
  | 'not-refused'
  | 'slow'
  | 'restarted'
  /** A client did nothing any more. */
  | 'stuck';

export interface Violation {
  readonly rule: Rule;
  readonly client: number;
  readonly detail: string;
}

/** What the vault holds at the end: all values of a register in their order; of a string the last; of a counter its value. */
export type Final = ReadonlyMap<string, readonly number[]>;

/** All in milliseconds. */
export interface Bounds {
  /** No call may take longer. */
  readonly readMaxMs: number;
  readonly writeMaxMs: number;
  /** After a server was broken, a client may take so long to notice: a write in this time may be sent and have no answer. */
  readonly noticeMaxMs: number;
  /** After a server answers again, a client may take so long to come back to it. */
  readonly returnMaxMs: number;
}

type Call = Write | Read;
const isWrite = (call: Call): call is Write => call.type === 'write';
const isRead = (call: Call): call is Read => call.type === 'read';

/** No more than so many of one rule are told; the first say enough. */
const TOLD_MAX = 20;

export function checkHistory(history: History, final: Final, bounds: Bounds): readonly Violation[] {
  const registers = groupBy(history.calls, ({ register }) => register);
  const all = [
    ...[...registers].flatMap(([name, calls]) => checkRegister(name, calls, final.get(name) ?? [])),
    ...unasked(final, registers),
    ...failedReads(history, final, bounds),
    ...failedWrites(history, bounds),
    ...slowCalls(history, bounds),
    ...restarts(history),
    ...stuckClients(history),
  ];
  return [...groupBy(all, ({ rule }) => rule).values()].flatMap((some) => some.slice(0, TOLD_MAX));
}

function checkRegister(name: string, calls: readonly Call[], values: readonly number[]): readonly Violation[] {
  const shape = calls[0]?.shape ?? 'string';
  const writes = calls.filter(isWrite).toSorted((a, b) => a.invokedMs - b.invokedMs);
  const reads = calls.filter(isRead).filter(({ outcome }) => outcome === 'ok');
  if (shape === 'counter') return [...counterAtTheEnd(name, writes, values), ...counterReads(name, writes, reads)];
  const malformed = notOneWriter(name, writes);
  if (malformed.length > 0) return malformed;
  return [
    ...(shape === 'string' ? stringAtTheEnd(name, writes, values) : listAtTheEnd(name, writes, values)),
    ...registerReads(name, writes, reads),
  ];
}

/** The rules below hold only for one writer, one write after the other, and none after one of unknown outcome. */
function notOneWriter(name: string, writes: readonly Write[]): readonly Violation[] {
  return writes.flatMap((write, index) => {
    const before = writes[index - 1];
    if (before === undefined) return [];
    const isFine =
      before.client === write.client &&
      before.endedMs < write.invokedMs &&
      before.outcome !== 'unknown' &&
      (before.value ?? 0) < (write.value ?? 0);
    return isFine ? [] : [{ rule: 'malformed' as const, client: write.client, detail: `${name}: ${tell(write)}` }];
  });
}

function listAtTheEnd(name: string, writes: readonly Write[], values: readonly number[]): readonly Violation[] {
  const times = new Map<number, number>();
  for (const value of values) times.set(value, (times.get(value) ?? 0) + 1);
  const known = new Set(writes.map(({ value }) => value));
  return [
    ...writes.flatMap((write) => {
      const count = times.get(write.value ?? 0) ?? 0;
      if (write.outcome === 'ok' && count === 0) return [violation('lost', name, write)];
      if (write.outcome === 'refused' && count > 0) return [violation('refused-but-done', name, write)];
      return count > 1 ? [violation('done-twice', name, write)] : [];
    }),
    ...[...times.keys()].filter((value) => !known.has(value)).map((value) => neverWritten(name, value)),
  ];
}

function stringAtTheEnd(name: string, writes: readonly Write[], values: readonly number[]): readonly Violation[] {
  const value = values[0] ?? 0;
  const write = writes.find((one) => one.value === value);
  if (value !== 0 && write === undefined) return [neverWritten(name, value)];
  if (write?.outcome === 'refused') return [violation('refused-but-done', name, write)];
  return writes
    .filter((one) => one.outcome === 'ok' && (one.value ?? 0) > value)
    .slice(-1)
    .map((one) => violation('lost', name, one, `the vault has ${String(value)}`));
}

function registerReads(name: string, writes: readonly Write[], reads: readonly Read[]): readonly Violation[] {
  const byValue = new Map(writes.map((write) => [write.value, write]));
  const isStale = staleness(writes);
  return reads.flatMap((read) => {
    const value = read.value ?? 0;
    const write = byValue.get(value);
    if (value !== 0 && (write === undefined || write.invokedMs > read.endedMs))
      return [neverWritten(name, value, read)];
    if (write?.outcome === 'refused') return [violation('refused-but-done', name, write, `seen: ${tell(read)}`)];
    return isStale(name, read);
  });
}

function counterAtTheEnd(name: string, writes: readonly Write[], values: readonly number[]): readonly Violation[] {
  const value = values[0] ?? 0;
  const acknowledged = writes.filter(({ outcome }) => outcome === 'ok');
  const most = acknowledged.length + writes.filter(({ outcome }) => outcome === 'unknown').length;
  const between = `${String(acknowledged.length)} were acknowledged, ${String(most)} sent at most, it is ${String(value)}`;
  const answers = groupBy(acknowledged, (write) => write.value);
  const twice = [...answers.values()].flatMap(([, second]) =>
    second === undefined ? [] : [violation('lost', name, second, 'answered to two')],
  );
  if (value < acknowledged.length) return [...twice, { rule: 'lost', client: -1, detail: `${name}: ${between}` }];
  if (value > most) return [...twice, { rule: 'done-twice', client: -1, detail: `${name}: ${between}` }];
  return twice;
}

function counterReads(name: string, writes: readonly Write[], reads: readonly Read[]): readonly Violation[] {
  const isStale = staleness(writes);
  const answered = writes.filter(({ outcome }) => outcome !== 'refused').map(({ invokedMs }) => invokedMs);
  return reads.flatMap((read) => {
    const begun = countBefore(answered, read.endedMs);
    return (read.value ?? 0) > begun ? [neverWritten(name, read.value ?? 0, read)] : isStale(name, read);
  });
}

/** Judges a read by the greatest value that its own client had been told is written before it asked. */
function staleness(writes: readonly Write[]): (name: string, read: Read) => readonly Violation[] {
  const acknowledged = groupBy(
    writes.filter(({ outcome }) => outcome === 'ok').toSorted((a, b) => a.endedMs - b.endedMs),
    ({ client }) => client,
  );
  const ends = new Map([...acknowledged].map(([client, own]) => [client, own.map(({ endedMs }) => endedMs)] as const));
  const greatest = new Map(
    [...acknowledged].map(([client, own]) => {
      let most: Write | undefined;
      return [client, own.map((write) => (most = (most?.value ?? 0) > (write.value ?? 0) ? most : write))] as const;
    }),
  );
  return (name, read) => {
    const before = greatest.get(read.client)?.[countBefore(ends.get(read.client) ?? [], read.invokedMs) - 1];
    if (before === undefined || (read.value ?? 0) >= (before.value ?? 0)) return [];
    return [violation('stale', name, read, `after ${tell(before)}`)];
  };
}

/** How many of these instants, which are in their order, come before that one. */
function countBefore(instantsMs: readonly number[], instantMs: number): number {
  let [low, high] = [0, instantsMs.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((instantsMs[middle] ?? Infinity) < instantMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

function unasked(final: Final, registers: ReadonlyMap<string, readonly Call[]>): readonly Violation[] {
  return [...final]
    .filter(([name, values]) => !registers.has(name) && values.length > 0)
    .map(([name, values]) => neverWritten(name, values[0] ?? 0));
}

function failedReads(history: History, final: Final, { returnMaxMs }: Bounds): readonly Violation[] {
  const { calls, away } = history;
  return calls
    .filter(isRead)
    .filter(({ outcome }) => outcome === 'failed')
    .filter((read) => !spansOf(away, 'vault', returnMaxMs).some((one) => isWithin(read, one, away, returnMaxMs)))
    .filter((read) => !isUnknowable(read, history, final))
    .map((read) => violation('read-failed', read.register, read));
}

/**
 * The vault is away, and the operational was seen to lack what this client had been told is written: nobody can answer
 * that client truthfully until the vault is back. What a client waits for is a place in the stream, and before that place
 * may stand what others, or the client itself, have written meanwhile.
 */
function isUnknowable(
  { client, invokedMs, endedMs, notVisible }: Read,
  { calls, away }: History,
  final: Final,
): boolean {
  if (notVisible === undefined) return false;
  const vaults = away.filter(
    (one) => one.role === 'vault' && overlap(one, { fromMs: invokedMs, untilMs: endedMs }) && one.fromMs < endedMs,
  );
  const writes = calls.filter(isWrite);
  const told = writes.filter((one) => one.client === client && one.outcome === 'ok' && one.endedMs < endedMs);
  if (vaults.length === 0 || told.length === 0) return false;
  // What the vault sends from then on may have come before the operational was asked.
  if (vaults.some(({ mendsMs = Infinity }) => notVisible.askedMs > mendsMs)) return true;
  const lastToldMs = Math.max(...told.map((one) => one.endedMs));
  return writes.some((one) => {
    const { register, value = 0 } = one;
    const isDone = one.outcome === 'ok' || (one.outcome === 'unknown' && final.get(register)?.includes(value) === true);
    return isDone && one.invokedMs < lastToldMs && (notVisible.had.get(register) ?? Infinity) < value;
  });
}

function failedWrites({ calls, away }: History, { noticeMaxMs, returnMaxMs }: Bounds): readonly Violation[] {
  return calls.flatMap((call) => {
    if (call.type !== 'write' || call.outcome === 'ok') return [];
    if (!spansOf(away, 'vault', returnMaxMs).some((span) => overlap(span, spanOf(call))))
      return [violation('write-failed', call.register, call)];
    const isKnown = away.some(
      ({ role, fromMs, untilMs }) =>
        role === 'vault' && call.invokedMs > fromMs + noticeMaxMs && call.endedMs < untilMs,
    );
    return call.outcome === 'unknown' && isKnown ? [violation('not-refused', call.register, call)] : [];
  });
}

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

const spanOf = ({ invokedMs, endedMs }: Call): Span => ({ fromMs: invokedMs, untilMs: endedMs });

function spansOf(away: readonly Away[], role: Away['role'], marginMs: number): readonly Span[] {
  return away
    .filter((one) => one.role === role)
    .map(({ fromMs, untilMs }) => ({ fromMs, untilMs: untilMs + marginMs }));
}

const overlap = (a: Span, b: Span): boolean => a.fromMs <= b.untilMs && b.fromMs <= a.untilMs;

/** Whether the operational was away at some moment of the vault's absence, and the read was under way then. */
function isWithin(read: Read, vault: Span, away: readonly Away[], marginMs: number): boolean {
  return spansOf(away, 'operational', marginMs)
    .filter((operational) => overlap(vault, operational))
    .some(({ fromMs, untilMs }) =>
      overlap(spanOf(read), { fromMs: Math.max(fromMs, vault.fromMs), untilMs: Math.min(untilMs, vault.untilMs) }),
    );
}

function slowCalls({ calls, stalls }: History, { readMaxMs, writeMaxMs }: Bounds): readonly Violation[] {
  return calls.flatMap((call) => {
    const stalledMs = stalls
      .map(({ fromMs, untilMs }) => Math.min(untilMs, call.endedMs) - Math.max(fromMs, call.invokedMs))
      .filter((ms) => ms > 0)
      .reduce((sum, ms) => sum + ms, 0);
    const tookMs = call.endedMs - call.invokedMs - stalledMs;
    if (tookMs <= (call.type === 'read' ? readMaxMs : writeMaxMs)) return [];
    return [violation('slow', call.register, call, `${tookMs.toFixed(0)} ms`)];
  });
}

function restarts({ clients, connects }: History): readonly Violation[] {
  return range(clients).flatMap((client) => {
    const count = connects.filter((one) => one.client === client).length;
    return count === 1 ? [] : [{ rule: 'restarted' as const, client, detail: `connected ${String(count)} times` }];
  });
}

/** Whenever all is healthy, each client writes and reads. */
function stuckClients({ clients, calls, calm }: History): readonly Violation[] {
  const good = calls.filter(({ outcome }) => outcome === 'ok');
  return calm.flatMap(({ fromMs, untilMs }) => {
    const within = good.filter(({ invokedMs, endedMs }) => invokedMs >= fromMs && endedMs <= untilMs);
    return range(clients).flatMap((client) =>
      (['read', 'write'] as const)
        .filter((type) => !within.some((call) => call.client === client && call.type === type))
        .map((type) => ({
          rule: 'stuck' as const,
          client,
          detail: `no ${type} from ${fromMs.toFixed(0)} to ${untilMs.toFixed(0)}`,
        })),
    );
  });
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, index) => index);

function neverWritten(name: string, value: number, read?: Read): Violation {
  const seen = read === undefined ? 'in the vault at the end' : tell(read);
  return { rule: 'never-written', client: read?.client ?? -1, detail: `${name}: ${String(value)}: ${seen}` };
}

function violation(rule: Rule, name: string, call: Call, more = ''): Violation {
  return { rule, client: call.client, detail: `${name}: ${tell(call)}${more === '' ? '' : `; ${more}`}` };
}

function tell(call: Call): string {
  const { type, way, outcome, value, invokedMs, endedMs, error } = call;
  const span = `${invokedMs.toFixed(3)}–${endedMs.toFixed(3)}`;
  return `${type} ${String(value)} by ${way}, ${outcome}, ${span}${error === undefined ? '' : ` (${error})`}`;
}

function groupBy<One, Key>(all: readonly One[], keyOf: (one: One) => Key): Map<Key, One[]> {
  const groups = new Map<Key, One[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group === undefined) groups.set(keyOf(one), [one]);
    else group.push(one);
  }
  return groups;
}

/** For the words of a test. */
export function tellViolations(violations: readonly Violation[]): readonly string[] {
  return violations.map(({ rule, client, detail }) => `${rule}: client ${String(client)}: ${detail}`);
}
