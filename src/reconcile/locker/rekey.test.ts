/** A change of the root key is refused before it begins, where it would cost backups. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CUSTODY, stillWorld, type StillWorld } from '../../../test/support/still-world.js';
import { SILENT } from '../../progress.js';
import type { World } from '../world.js';
import { rekey } from './rekey.js';

const BEGUN = new Error('it has begun');

let plain: StillWorld;
beforeEach(async () => {
  plain = stillWorld(await mkdtemp(join(tmpdir(), 'nexus3-rekey-')));
});
afterEach(() => rm(plain.configuration.dataRoot, { recursive: true }));

/** In the still world it is 2026-01-08T12:00:00Z. */
function holding(...dates: readonly string[]): World {
  const { backups, locker } = plain;
  const held = { [Symbol.asyncDispose]: (): Promise<void> => Promise.resolve() };
  return {
    ...plain,
    locker: {
      ...locker,
      open: () => Promise.reject(BEGUN),
      custody: { ...CUSTODY, rekey: { ...CUSTODY.rekey, prepare: () => Promise.reject(BEGUN) } },
    },
    backups: {
      ...backups,
      keys: { ...backups.keys, there: () => Promise.resolve(true), proveWritable: () => Promise.reject(BEGUN) },
      acquire: () => Promise.resolve(held),
      datedLater: () => Promise.resolve(dates.map((at) => ({ folder: '/backups/track/one', at }))),
    },
  };
}

it('is refused while a backup is dated later than the clock says, naming both times', async () => {
  await expect(rekey(holding('2026-01-08T13:00:00.000Z'), '0.1.0', SILENT)).rejects.toMatchObject({
    code: 'REKEY_REFUSED',
    evidence: ['this host’s clock says 2026-01-08T12:00:00.000Z', '/backups/track/one: 2026-01-08T13:00:00.000Z'],
  });
});

it('begins where none is, and waits for the second that a history is rounded up to', async () => {
  await expect(rekey(holding(), '0.1.0', SILENT)).rejects.toBe(BEGUN);
  expect(plain.slept()).toBe(0);
  await expect(rekey(holding('2026-01-08T12:00:01.000Z'), '0.1.0', SILENT)).rejects.toBe(BEGUN);
  expect(plain.slept()).toBe(1_001);
});
