/** One run of the history archive as a process of its own, to be killed: ROOT DATADIR SECRET NOW ENCRYPT. */
import { BackupSecret } from '../../dist/backup/backup-secret.js';
import { StoredHistory } from '../../dist/backup/history/history.js';
import { openSealing } from '../../dist/backup/sealing.js';
import { Secret } from '../../dist/protocol/secret.js';

const [root = '', dataDir = '', secret = '', now = '', encrypt = ''] = process.argv.slice(2);
const secrets = { present: new BackupSecret(new Secret(secret)), earlier: [], fault: undefined };
const history = new StoredHistory({
  root,
  bytesMax: 1024 ** 3,
  sealing: openSealing({ encrypt: encrypt === 'true', recipients: [] }, () => Promise.resolve(secrets)),
  now: () => new Date(Number(now)),
});
process.stdout.write('begun\n');
await history.archive('track', dataDir);
process.stdout.write('done\n');
