/**
 * A snapshot of a vault, taken as a replica takes it, without a file on the vault's disk: it forks and sends. Measured on
 * Redis 8.2.3: each REPLCONF must be answered before the next command is sent (PSYNC within a pipeline is refused), and
 * after `rdb-only` the vault closes behind the snapshot.
 */
import { Nexus3Error } from '../errors.js';
import type { Address } from '../protocol/redis-conf.js';
import type { Secret } from '../protocol/secret.js';
import { ByteSource, SourceFailure } from './byte-source.js';
import { formatAddress, openSocket, UnreachableError } from './connection.js';
import { ReplyError, unexpectedReply } from './replies.js';
import type { Command } from './resp.js';
import { encodeCommand } from './resp.js';
import type { SnapshotLimits } from './snapshot-body.js';
import { parseAnnouncement, readBody, SNAPSHOT_LIMITS } from './snapshot-body.js';

/** A line of the handshake longer than this is none. */
const LINE_BYTES_MAX = 1_024;

export interface SnapshotStream extends AsyncDisposable {
  readonly replication: { readonly id: string; readonly offset: number };
  readonly chunks: AsyncIterable<Buffer>;
}

/** One vault, asked by one caller. */
interface Asked {
  readonly vault: Address;
  readonly source: ByteSource;
  readonly limits: SnapshotLimits;
}

/**
 * As user `backup`. Resolves when the vault has forked, or is just about to: what it holds now is what comes.
 * @throws UnreachableError; Nexus3Error REDIS_REPLY_UNEXPECTED when it does not take the password; BACKUP_FAILED
 */
export async function streamSnapshot(
  vault: Address,
  password: Secret,
  limits: SnapshotLimits = SNAPSHOT_LIMITS,
): Promise<SnapshotStream> {
  const source = new ByteSource(await openSocket(vault, limits.answerMs));
  const asked: Asked = { vault, source, limits };
  try {
    await logIn(asked, password);
    for (const option of [['capa', 'eof'] as const, ['rdb-only', '1'] as const]) {
      const reply = await ask(asked, ['REPLCONF', ...option]);
      if (reply !== '+OK') throw refused(vault, `REPLCONF ${option[0]}`, reply);
    }
    source.write(encodeCommand(['PSYNC', '?', '-1']));
    const replication = await begun(asked);
    return {
      replication,
      chunks: chunksOf(asked),
      [Symbol.asyncDispose]: () => {
        source.close();
        return Promise.resolve();
      },
    };
  } catch (error) {
    source.close();
    throw error;
  }
}

async function logIn(asked: Asked, password: Secret): Promise<void> {
  const reply = await ask(asked, ['AUTH', 'backup', password]);
  if (reply === '+OK') return;
  const text = reply.startsWith('-') ? new ReplyError(reply.slice(1)).without([password]) : undefined;
  throw unexpectedReply(text, 'AUTH backup');
}

/** One command, one line. @throws UnreachableError */
async function ask({ vault, source, limits }: Asked, command: Command): Promise<string> {
  source.write(encodeCommand(command));
  try {
    const line = await readLine(source, limits, Date.now() + limits.answerMs);
    if (line !== undefined) return line;
  } catch (error) {
    if (!(error instanceof SourceFailure)) throw error;
    throw new UnreachableError(vault, 'other', error.message);
  }
  throw new UnreachableError(vault, 'closed', 'it closed the connection');
}

/** `+FULLRESYNC ID OFFSET`, after any number of newlines that say that it is still there. */
async function begun(asked: Asked): Promise<SnapshotStream['replication']> {
  const line = await lineThatSays(asked);
  const [, id, offset] = /^\+FULLRESYNC ([0-9a-f]{40}) (\d{1,15})$/.exec(line) ?? [];
  if (id === undefined) throw refused(asked.vault, 'PSYNC', line);
  return { id, offset: Number(offset) };
}

async function* chunksOf(asked: Asked): AsyncGenerator<Buffer, void> {
  const { vault, source, limits } = asked;
  const giveUpAt = Date.now() + limits.wholeMs;
  try {
    const line = await lineThatSays(asked);
    const announcement = parseAnnouncement(line);
    if (announcement === undefined) throw refused(vault, 'PSYNC', line);
    for await (const chunk of readBody(source, announcement, limits)) {
      if (Date.now() > giveUpAt) {
        throw new SourceFailure(`it was not whole after ${String(Math.round(limits.wholeMs / 60_000))} minutes`);
      }
      yield chunk;
    }
  } catch (error) {
    throw error instanceof SourceFailure ? brokenOff(vault, error) : error;
  } finally {
    source.close();
  }
}

/** The next line that is not empty. @throws Nexus3Error BACKUP_FAILED */
async function lineThatSays({ vault, source, limits }: Asked): Promise<string> {
  const giveUpAt = Date.now() + limits.beginMs;
  try {
    for (;;) {
      const line = await readLine(source, limits, giveUpAt);
      if (line === undefined) throw new SourceFailure('the vault closed the connection before it began');
      if (line !== '') return line;
    }
  } catch (error) {
    throw error instanceof SourceFailure ? brokenOff(vault, error) : error;
  }
}

/** Without its end; a lone newline is an empty one. Undefined when the other side has closed. @throws SourceFailure */
async function readLine(source: ByteSource, { idleMs }: SnapshotLimits, giveUpAt: number): Promise<string | undefined> {
  let line = Buffer.alloc(0);
  for (;;) {
    const leftMs = giveUpAt - Date.now();
    const chunk = leftMs < idleMs ? await source.nextWithin(Math.max(0, leftMs)) : await source.next(idleMs);
    if (chunk === 'nothing') throw new SourceFailure('it took too long to begin');
    if (chunk === undefined) return undefined;
    const end = chunk.indexOf(0x0a);
    line = Buffer.concat([line, end < 0 ? chunk : chunk.subarray(0, end)]);
    if (line.length > LINE_BYTES_MAX) throw new SourceFailure('what it sends is not what Redis sends');
    if (end < 0) continue;
    source.putBack(chunk.subarray(end + 1));
    return line.toString('latin1').replace(/\r$/, '');
  }
}

const HINTS: readonly (readonly [start: string, hint: string])[] = [
  ['-NOPERM', 'Run `nexus3 check --fix`: the users in force are not those that nexus3 rendered; then run it again.'],
  ['-LOADING', 'It is loading its data. Wait a moment, then run the command again.'],
  ['-NOMASTERLINK', 'It is a replica without its master. Run `nexus3 check --fix`, then run the command again.'],
];
const SEE_LOG = 'Look at the vault’s log with `nexus3 logs`, then run the command again; nothing half is listed.';

function refused(vault: Address, question: string, line: string): Nexus3Error {
  const hint = HINTS.find(([start]) => line.startsWith(start))?.[1] ?? SEE_LOG;
  const said = line.startsWith('-') ? line.slice(1) : 'something that Redis does not say there';
  return new Nexus3Error('BACKUP_FAILED', `The vault at ${formatAddress(vault)} sends no snapshot.`, {
    evidence: [`${question}: ${said}`],
    hint,
  });
}

function brokenOff(vault: Address, failure: SourceFailure): Nexus3Error {
  return new Nexus3Error('BACKUP_FAILED', `The snapshot of the vault at ${formatAddress(vault)} broke off.`, {
    evidence: [failure.message],
    hint: SEE_LOG,
  });
}
