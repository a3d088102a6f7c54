/** The audit as the rest of nexus3 gets it. */
import type { ConnectLocker } from '../channel.js';
import { KEY } from '../keys.js';
import type { Audit, AuditEntry, AuditFolded, AuditPage, AuditProof, AuditQuery } from './audit.js';
import { readEntry, storedEntries } from './chain.js';
import { foldDenied, foldInboxes } from './fold.js';
import { removeMark } from './head-file.js';
import type { AuditLog } from './log.js';
import { verifyAudit } from './verify.js';

/** So many entries are looked at at once. */
const PAGE_ENTRIES = 1_000;

export class LockerAudit implements Audit {
  readonly #log: AuditLog;
  readonly #connectAdmin: ConnectLocker;

  constructor(log: AuditLog, connectAdmin: ConnectLocker) {
    this.#log = log;
    this.#connectAdmin = connectAdmin;
  }

  async verify(): Promise<AuditProof> {
    return verifyAudit(this.#log);
  }

  async fold(): Promise<AuditFolded> {
    const now = (): Date => new Date();
    return { notes: await foldInboxes(this.#log, now), denied: await foldDenied(this.#log, this.#connectAdmin) };
  }

  /** From the newest back, page by page, until enough are found. */
  async read({ since, action, what, limit }: AuditQuery): Promise<AuditPage> {
    const [keyReply] = await this.#log.database.ask([['HGETALL', KEY.auditKey]]);
    const key = this.#log.openKey(keyReply);
    if (key === undefined) return { entries: [], more: false };
    const found: AuditEntry[] = [];
    for (let from = '+'; found.length <= limit;) {
      const command = ['XREVRANGE', KEY.audit, from, '-', 'COUNT', String(PAGE_ENTRIES)];
      const page = storedEntries((await this.#log.database.ask([command]))[0]);
      for (const stored of page) {
        const entry = readEntry(key, stored);
        if (entry === undefined) continue;
        // Notes of tokens carry times of their own, so the order of times is not quite that of the entries.
        const fits = (action ?? entry.action) === entry.action && (what === undefined || entry.what.includes(what));
        if (fits && (since === undefined || Date.parse(entry.at) >= since.getTime())) found.push(withoutLink(entry));
      }
      if (page.length < PAGE_ENTRIES) break;
      from = `(${page.at(-1)?.id ?? '-'}`;
    }
    return { entries: found.slice(0, limit).toReversed(), more: found.length > limit };
  }

  async beginAnew(): Promise<void> {
    await this.#log.settled();
    const database = this.#log.database;
    await database.inTurn(async (connection) => {
      // What an append that had nothing to write still watches must not make this one fail.
      const [, there] = await connection.ask([['UNWATCH'], ['EXISTS', KEY.audit]]);
      const aside = there === 1 ? [['RENAME', KEY.audit, KEY.auditBefore]] : [];
      await connection.ask([['MULTI'], ...aside, ['UNLINK', KEY.auditHead, KEY.auditKey], ['EXEC']]);
    });
    await removeMark(this.#log.headFile);
    await this.#log.append({ action: 'audit', what: 'locker', outcome: 'ok', detail: 'begun anew' });
    await this.#log.settled();
  }
}

function withoutLink({ seq, at, who, action, what, outcome, detail, genuine }: AuditEntry): AuditEntry {
  return { seq, at, who, action, what, outcome, detail, genuine };
}
