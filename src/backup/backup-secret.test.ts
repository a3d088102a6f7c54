/** What is derived may never be derived in another way: everything that was ever backed up hangs on it. */
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { someSecret } from '../../test/support/backup-repository.js';
import { deriveBackupSecret } from '../locker/derive.js';
import { RootKey } from '../locker/root-key.js';
import { Secret } from '../protocol/secret.js';
import { BackupSecret } from './backup-secret.js';

describe('a backup secret', () => {
  it('is derived from the root key as it always was, and everything else from it', () => {
    const text = deriveBackupSecret(new RootKey(Buffer.alloc(32, 7)));
    const secret = new BackupSecret(text);
    const derived = [
      text.reveal(),
      secret.fingerprint,
      secret.mac('manifest-mac', 'text'),
      secret.mac('archive-mac', 'text'),
      secret.ageIdentity().reveal(),
      secret.resticPassword().reveal(),
      secret.sealingKey().toString('hex'),
    ];
    expect(derived).toMatchInlineSnapshot(`
      [
        "W-wGWQUIrL_TTX5IqGr2TjO_9xgCesN25E3FGCasoCY",
        "7c8dd8429c1717af",
        "5dcd7a5443225534fdb6d4b2c16dcbd358f32c13af2b88c82c1aadc38677b400",
        "1408a77097d2b67b3f62a31cb25942c4118213ad5ca68b8c14ab186ab37f4217",
        "AGE-SECRET-KEY-18CYUUFCN8DAZDDC3YMVNDGYLKHFVUSC2FTNX4S3PEFAHV9WQZ6GQVTTW0A",
        "BnC-HSRCvlwsQLbe_5ZjqocHw2P7MwB5RKfM4pLG6CA",
        "a50a0a202eb549bceae2a2cbc106ad3a00e77cb376922efcefc37cf4cb6c7114",
      ]
    `);
  });

  it('is not changed by a rotation of Locker’s own passwords', () => {
    const key = RootKey.generate();
    expect(deriveBackupSecret(key.withGenerations(3, 2)).reveal()).toBe(deriveBackupSecret(key).reveal());
  });

  it('takes the MAC of one thing for none of another, nor of a MAC that is none', () => {
    const secret = new BackupSecret(someSecret());
    expect(secret.isMacOf('manifest-mac', 'text', secret.mac('manifest-mac', 'text'))).toBe(true);
    expect(secret.isMacOf('archive-mac', 'text', secret.mac('manifest-mac', 'text'))).toBe(false);
    for (const mac of ['', '0', 'é'.repeat(32), secret.mac('manifest-mac', 'another')]) {
      expect(secret.isMacOf('manifest-mac', 'text', mac), mac).toBe(false);
    }
  });

  it('is shown to nobody', () => {
    const text = someSecret();
    const secret = new BackupSecret(text);
    const shown = [String(secret), JSON.stringify({ secret }), inspect({ secret }, { showHidden: true, depth: 9 })];
    for (const one of shown) {
      expect(one).toContain('[backup secret]');
      expect(one).not.toContain(text.reveal());
    }
    expect(() => new BackupSecret(new Secret('c2hvcnQ'))).toThrow(RangeError);
  });
});
