/** Proves the audit, from the anchor to its end and against the head beside the root key. */
import { Nexus3Error } from '../../errors.js';
import type { LockerReply } from '../channel.js';
import { KEY } from '../keys.js';
import { toFields } from '../sealed-hash.js';
import type { AuditProof } from './audit.js';
import type { AuditKey, Head } from './chain.js';
import { readHead, storedEntries } from './chain.js';
import { ChainCheck, type Damage, DAMAGES_MAX, type HeadMark } from './check.js';
import { clearHalfWrittenMarks, type FoundMark, genuineMark, readMark } from './head-file.js';
import type { AuditLog } from './log.js';
import { AUDIT_WAY_OUT } from './log.js';

/** So many entries are asked for at once. */
const PAGE_ENTRIES = 1_000;
/** How often it is read again because the oldest were trimmed away meanwhile. */
const ATTEMPTS_MAX = 5;

/** @throws Nexus3Error AUDIT_BROKEN, LOCKER_UNREACHABLE, LOCKER_VALUE_… */
export async function verifyAudit(log: AuditLog): Promise<AuditProof> {
  await log.settled();
  await clearHalfWrittenMarks(log.headFile);
  for (let attempt = 1; ; attempt += 1) {
    // Before the chain: it can only be older than what is read after it.
    const found = readMark(log.headFile);
    const look = await lookThrough(log, found);
    if (look.trimmedMeanwhile && attempt < ATTEMPTS_MAX) continue;
    if (look.damages.length > 0) throw broken(look.damages);
    return {
      entries: look.entries,
      ...{ firstSeq: look.firstSeq, lastSeq: look.lastSeq },
      headFile: log.headFile,
      warnings: look.warnings,
    };
  }
}

interface Look {
  readonly damages: readonly Damage[];
  readonly trimmedMeanwhile: boolean;
  readonly entries: number;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly warnings: readonly string[];
}

async function lookThrough(log: AuditLog, found: FoundMark): Promise<Look> {
  const types = await log.database.ask([
    ['TYPE', KEY.audit],
    ['TYPE', KEY.auditHead],
    ['TYPE', KEY.auditKey],
  ]);
  if (types.some((type, index) => type !== 'none' && type !== (index === 0 ? 'stream' : 'hash'))) {
    return nothingBut(`what lies at ${KEY.audit} is no audit (${types.join(', ')})`);
  }
  const [keyReply, headReply, length] = await log.database.ask([
    ['HGETALL', KEY.auditKey],
    ['HGETALL', KEY.auditHead],
    ['XLEN', KEY.audit],
  ]);
  const key = log.openKey(keyReply);
  if (key === undefined) return withoutKey(log, toFields(headReply).size > 0 || length !== 0, found);
  const mark = typeof found === 'object' ? genuineMark(key, found) : undefined;
  const before = readHead(key, toFields(headReply));
  const check = new ChainCheck(key, typeof before === 'object' ? before : undefined, ofThis(key, mark));
  const after = await takeAll(log, key, check);
  const damages = [...check.finish(after, mark)];
  if (found === 'unreadable' || (found !== undefined && mark === undefined)) {
    damages.push({
      seq: check.lastSeq,
      kind: 'head-changed',
      text: `${log.headFile} was changed: it does not fit its MAC`,
    });
  }
  return {
    damages,
    trimmedMeanwhile: damages.length > 0 && anchorOf(before) !== anchorOf(after),
    entries: check.count,
    firstSeq: check.firstSeq,
    lastSeq: check.count === 0 ? 0 : check.lastSeq,
    warnings: warningsOf(log, check, ofThis(key, mark), after),
  };
}

/** Page by page; the last one together with the head, so that the two belong together. */
async function takeAll(log: AuditLog, key: AuditKey, check: ChainCheck): Promise<Head | 'changed' | undefined> {
  let from = '-';
  for (;;) {
    const questions = [
      // What an append that had nothing to write still watches must not make this one fail.
      ['UNWATCH'],
      ['MULTI'],
      ['XRANGE', KEY.audit, from, '+', 'COUNT', String(PAGE_ENTRIES)],
      ['HGETALL', KEY.auditHead],
      ['EXEC'],
    ];
    const reply = (await log.database.inTurn((connection) => connection.ask(questions))).at(-1);
    const executed: readonly LockerReply[] = Array.isArray(reply) ? (reply as readonly LockerReply[]) : [];
    const page = storedEntries(executed[0]);
    for (const stored of page) check.take(stored);
    if (page.length < PAGE_ENTRIES) return readHead(key, toFields(executed[1]));
    from = `(${page.at(-1)?.id ?? '-'}`;
  }
}

function ofThis(key: AuditKey, mark: HeadMark | undefined): HeadMark | undefined {
  return mark?.audit === key.id ? mark : undefined;
}

function anchorOf(head: Head | 'changed' | undefined): number {
  return typeof head === 'object' ? head.anchorSeq : -1;
}

function warningsOf(
  log: AuditLog,
  check: ChainCheck,
  mark: HeadMark | undefined,
  head: Head | 'changed' | undefined,
): readonly string[] {
  if (check.count === 0) return [];
  if (mark === undefined) {
    return [
      `${log.headFile} is not there, so a cut end or an older copy could not be told. That is so on a new host; the next entry makes it.`,
    ];
  }
  if (mark.seq < anchorOf(head)) {
    return [
      `${log.headFile} is so old (entry ${String(mark.seq)}) that its entry was trimmed away since: it could not be compared. If nexus3 may write there again, remove it; the next entry makes a new one.`,
    ];
  }
  if (mark.seq < check.lastSeq) {
    return [
      `${log.headFile} remembers entry ${String(mark.seq)}, not the last: what came after it could be cut off without a trace.`,
    ];
  }
  return [];
}

function withoutKey(log: AuditLog, hasData: boolean, found: FoundMark): Look {
  if (hasData) return nothingBut(`the audit’s key (${KEY.auditKey}) was deleted, so nothing of it can be proven`);
  if (found !== undefined) {
    return nothingBut(`the whole audit was deleted; ${log.headFile} remembers that there was one`);
  }
  return { damages: [], trimmedMeanwhile: false, entries: 0, firstSeq: 0, lastSeq: 0, warnings: [] };
}

function nothingBut(text: string): Look {
  const damages: readonly Damage[] = [{ seq: 1, kind: 'all-removed', text }];
  return { damages, trimmedMeanwhile: false, entries: 0, firstSeq: 0, lastSeq: 0, warnings: [] };
}

function broken(damages: readonly Damage[]): Nexus3Error {
  const [first] = damages;
  const more = damages.length >= DAMAGES_MAX ? ['… and perhaps more: only so many are listed'] : [];
  return new Nexus3Error(
    'AUDIT_BROKEN',
    `Locker’s audit was changed: it is not whole from entry ${String(first?.seq ?? 1)} on.`,
    {
      evidence: [...damages.map(({ seq, kind, text }) => `${String(seq)}: ${kind}: ${text}`), ...more],
      hint: AUDIT_WAY_OUT,
    },
  );
}
