/** When what holders of tokens have noted is taken into the audit by others' notes. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ENGINE_TIMEOUT_MS } from '../../../test/support/engine.js';
import { LockerServer } from '../../../test/support/locker-server.js';
import { QUIET_AUDIT } from '../../../test/support/quiet-audit.js';
import { LockerAccess } from '../access.js';
import type { LockerConnection } from '../channel.js';
import type { AuditNote } from '../locker.js';

let server: LockerServer;
let folder: string;

beforeAll(async () => {
  server = await LockerServer.start();
  folder = await mkdtemp(join(tmpdir(), 'nexus3-folding-'));
  await writeFile(join(folder, 'root.key'), server.rootKey.toText(), { mode: 0o600 });
}, ENGINE_TIMEOUT_MS);
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

it('a command that notes much looks once for what holders have noted, and takes it in first', async () => {
  let looks = 0;
  const connect = async (): Promise<LockerConnection> => {
    const connection = await server.connect();
    return {
      get isOpen() {
        return connection.isOpen;
      },
      ask: (commands, timeoutMs) => {
        looks += commands.filter(([name]) => name === 'KEYS').length;
        return connection.ask(commands, timeoutMs);
      },
      close: () => connection.close(),
    };
  };
  const held = { action: 'get', what: 'held', outcome: 'ok', at: '2026-01-08T12:00:00.000Z' };
  const note = JSON.stringify({ ...held, who: { user: 'ada', pid: 7, parent: 'node', token: 't_1a2b3c4d' } });
  await server.ask('XADD', 'nexus3:locker:audit:inbox:t_1a2b3c4d', '*', 'note', note);
  const rotated: AuditNote = { action: 'rotate', what: 'track', outcome: 'ok' };
  const access = new LockerAccess({ ...QUIET_AUDIT, rootKeyPath: join(folder, 'root.key'), connect });
  try {
    await access.note({ ...rotated, action: 'get' });
    expect(looks).toBe(0);
    await Promise.all(['1', '2', '3'].map((what) => access.note({ ...rotated, what })));
    await access.note(rotated);
    expect(looks).toBe(1);
    const { entries } = await (await access.audit()).read({ limit: 10 });
    expect(entries.map(({ what }) => what).toSorted()).toEqual(['1', '2', '3', 'held', 'track', 'track']);
    expect(entries[1]?.what).toBe('held');
  } finally {
    await access.close();
  }
});
