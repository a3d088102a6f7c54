/** Takes into the chain what was left beside it: each exactly once, because the append and the taking are one transaction. */
import { TOKEN_ID } from '../../protocol/users.js';
import type { ConnectLocker, LockerReply } from '../channel.js';
import { KEY } from '../keys.js';
import { newRefusals, readAclLog, readTaken, renderTaken } from './denied.js';
import { dropped, readInbox } from './inbox.js';
import type { AuditLog } from './log.js';

/** Of one inbox in one transaction. */
const FOLD_ENTRIES_MAX = 200;
/** How many transactions one inbox may take; what is left waits for the next time. */
const FOLD_ROUNDS_MAX = 50;
/** What an inbox holds beyond this is dropped, and said so. */
const INBOX_ENTRIES_MAX = 10_000;
/** The server keeps no more by itself (acllog-max-len). */
const ACL_LOG_ENTRIES_MAX = '1000';
const INBOX_PREFIX = KEY.inbox('');

/** @returns how many notes were taken in */
export async function foldInboxes(log: AuditLog, now: () => Date): Promise<number> {
  const [keys] = await log.database.ask([['KEYS', `${INBOX_PREFIX}*`]]);
  const tokens = (Array.isArray(keys) ? (keys as readonly LockerReply[]) : [])
    .map((key) => String(key).slice(INBOX_PREFIX.length))
    .filter((token) => TOKEN_ID.test(token))
    .toSorted();
  let folded = 0;
  for (const token of tokens) {
    for (let round = 0; round < FOLD_ROUNDS_MAX; round += 1) {
      const taken = await foldSome(log, token, now());
      folded += taken;
      if (taken < FOLD_ENTRIES_MAX) break;
    }
  }
  return folded;
}

async function foldSome(log: AuditLog, token: string, now: Date): Promise<number> {
  const key = KEY.inbox(token);
  const reads = [
    ['XLEN', key],
    ['XRANGE', key, '-', '+', 'COUNT', String(FOLD_ENTRIES_MAX)],
  ];
  return log.appendWith(reads, ([length, reply]) => {
    const found = readInbox(token, reply, now);
    const over = Math.max(0, (typeof length === 'number' ? length : 0) - INBOX_ENTRIES_MAX);
    if (found.length === 0) return { notes: [], result: 0 };
    if (over > 0) {
      const detail = `its oldest ${String(over)} notes were dropped: more than ${String(INBOX_ENTRIES_MAX)} waited`;
      const trim = ['XTRIM', key, 'MAXLEN', String(INBOX_ENTRIES_MAX)];
      return { notes: [dropped(token, detail, now)], commands: [trim], result: FOLD_ENTRIES_MAX };
    }
    const remove = ['XDEL', key, ...found.map(({ id }) => id)];
    return { notes: found.map(({ note }) => note), commands: [remove], result: found.length };
  });
}

/** @param connect as the administrator. @returns how many refusals were taken in */
export async function foldDenied(log: AuditLog, connect: ConnectLocker): Promise<number> {
  const connection = await connect();
  try {
    const [entries, info] = await connection.ask([
      ['ACL', 'LOG', ACL_LOG_ENTRIES_MAX],
      ['INFO', 'server'],
    ]);
    const run = /^run_id:(\S+)/m.exec(String(info))?.[1] ?? '';
    const refusals = readAclLog(entries);
    return await log.appendWith([['HGET', KEY.auditDenied, 'taken']], ([taken]) => {
      const fresh = newRefusals(run, refusals, readTaken(typeof taken === 'string' ? taken : undefined));
      if (fresh.notes.length === 0) return { notes: [], result: 0 };
      return { notes: fresh.notes, commands: [renderTaken(fresh.taken)], result: fresh.notes.length };
    });
  } finally {
    connection.close();
  }
}
