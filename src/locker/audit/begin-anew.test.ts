/** A new audit in the place of a damaged one: begun only when told to, and all runs of nexus3 go on with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS } from '../../../test/support/engine.js';
import { failureOf } from '../../../test/support/failure.js';
import { LockerServer } from '../../../test/support/locker-server.js';
import type { AuditNote } from '../locker.js';
import { AuditLog } from './log.js';
import { LockerAudit } from './service.js';

let server: LockerServer;
let folder: string;
let warnings: string[];

beforeAll(async () => {
  server = await LockerServer.start();
}, ENGINE_TIMEOUT_MS);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
});
beforeEach(async () => {
  warnings = [];
  await server.ask('FLUSHALL');
  folder = await mkdtemp(join(tmpdir(), 'nexus3-audit-'));
  return () => rm(folder, { recursive: true, force: true });
});

function newLog(): AuditLog {
  const headFile = join(folder, 'root.key.audit-head');
  const warn = (text: string): number => warnings.push(text);
  return new AuditLog({ database: server.database(), headFile, entriesMax: 1_000, warn });
}

function auditOf(log: AuditLog): LockerAudit {
  return new LockerAudit(log, () => server.connect());
}

function get(what: string): AuditNote {
  return { action: 'get', what, outcome: 'ok' };
}

it('that all was deleted is shown until a new one is begun', async () => {
  const log = newLog();
  await log.append(get('1'));
  await log.settled();
  await server.ask('FLUSHALL');
  expect((await failureOf(auditOf(newLog()).verify())).evidence.join()).toContain('the whole audit was deleted');
  const later = newLog();
  await later.append(get('2'));
  expect((await failureOf(auditOf(later).verify())).evidence.join()).toContain('another-audit');
  await auditOf(later).beginAnew();
  const proof = await auditOf(newLog()).verify();
  expect(proof).toMatchObject({ entries: 1, warnings: [] });
  expect((await auditOf(later).read({ limit: 5 })).entries).toMatchObject([{ action: 'audit', detail: 'begun anew' }]);
});

it('a run that had written to the one before goes on with the new one', async () => {
  const early = newLog();
  await early.append(get('before'));
  await early.settled();
  await auditOf(newLog()).beginAnew();
  await early.append(get('after'));
  await early.settled();
  expect(await auditOf(newLog()).verify()).toMatchObject({ entries: 2, warnings: [] });
  expect(warnings).toEqual([]);
});

it('whatever its connection still watches, what is remembered goes only with the audit that it is of', async () => {
  const [log, other] = [newLog(), newLog()];
  await log.append(get('before'));
  // What had nothing to write goes on watching, and then another one writes.
  await log.appendWith([], () => ({ notes: [], result: undefined }));
  await other.append(get('meanwhile'));
  await other.settled();
  await auditOf(log).beginAnew();
  expect((await auditOf(log).read({ limit: 5 })).entries).toMatchObject([{ seq: 1, detail: 'begun anew' }]);
  expect(await auditOf(newLog()).verify()).toMatchObject({ entries: 1, warnings: [] });
});
