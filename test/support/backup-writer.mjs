/**
 * A run that makes backups until it is killed: `node backup-writer.mjs ROOT SECRET ENCRYPT ENV BYTES`. Says on stdout `write` when
 * it begins one, and then its id when it has been told that it is there.
 */
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBackups } from '../../dist/backup/stored-backups.js';
import { Secret } from '../../dist/protocol/secret.js';

const [, , root, secret, encrypt, env, bytes] = process.argv;
const CHUNKS = 20;
const policy = { root, encrypt: encrypt === 'true', recipients: [], keep: {}, historyBytesMax: 0, target: undefined };
const secrets = async () => ({ present: new Secret(secret), next: undefined, previous: undefined });
const backups = openBackups(policy, { secrets, now: () => new Date() });

async function* snapshot() {
  for (let chunk = 0; chunk < CHUNKS; chunk += 1) {
    yield Buffer.alloc(
      Number(bytes) / CHUNKS,
      createHash('sha256')
        .update(`${env}${String(chunk)}`)
        .digest(),
    );
    await sleep(1);
  }
}

for (;;) {
  const held = await backups.acquire('backup create', () => undefined);
  process.stdout.write('write\n');
  const manifest = await backups.write(
    {
      env,
      kind: 'standard',
      createdAt: new Date(),
      version: '0.1.0',
      engine: { kind: 'redis', version: '8.2.3', graphModule: 41603 },
      replication: { id: 'a1'.repeat(20), offset: 4711 },
    },
    snapshot(),
  );
  process.stdout.write(`${manifest.id}\n`);
  await held[Symbol.asyncDispose]();
}
