/** The archive, killed at random instants while it copies, and run again. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { someSecret } from '../support/backup-repository.js';
import { HistoryHarness } from '../support/history-harness.js';
import { chance, rounds, SEED } from '../support/random.js';
import { WrittenVault } from '../support/written-vault.js';

const PROGRAM = fileURLToPath(new URL('../support/archive-once.mjs', import.meta.url));
const ROUNDS = rounds(8, 100);
/** A run to its end takes about so long. */
const KILL_WITHIN_MS = 120;

/** @returns whether it came to its end */
async function archiveAndKill(args: readonly string[], afterMs: number): Promise<boolean> {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  await once(child.stdout, 'data');
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  await once(child, 'close');
  clearTimeout(timer);
  return output.includes('done');
}

describe('an archive that is killed while it copies', () => {
  it.each([false, true])(`covers what it says, and goes on (encrypted: %s, seed ${String(SEED)})`, async (encrypt) => {
    const random = chance(SEED);
    const secret = someSecret();
    await using vault = await WrittenVault.make();
    await using harness = await HistoryHarness.make();
    const history = (): ReturnType<typeof harness.historyOf> =>
      harness.historyOf(vault, { secret, encrypt, bytesMax: 1024 ** 3 });
    let killed = 0;
    for (let round = 0; round < ROUNDS; round += 1) {
      await vault.write(3, { pad: 1_000_000, transaction: random() < 0.3 });
      vault.now += 5;
      if (random() < 0.5) await vault.rewrite();
      const now = String(vault.now * 1_000 + 999);
      const args = [harness.root, vault.dataDir, secret.reveal(), now, String(encrypt)];
      if (!(await archiveAndKill(args, round === 0 ? 0 : random() * KILL_WITHIN_MS))) killed += 1;
      for (const { from, to } of await history().windows('track', undefined)) {
        for (const at of [from, to]) {
          const second = Date.parse(at) / 1_000;
          expect(await harness.idsAt(history(), undefined, second), at).toEqual(vault.at(second));
        }
      }
    }
    expect(killed).toBeGreaterThan(0);
    await history().archive('track', vault.dataDir);
    expect(await harness.idsAt(history(), undefined, vault.now - 3)).toEqual(vault.at(vault.now));
    const folder = harness.archiveFolder(vault);
    const index = await readFile(`${folder}/index.json`, 'utf8');
    const unnamed = (await readdir(folder)).filter((name) => name !== 'index.json' && !index.includes(`"${name}"`));
    expect(unnamed).toEqual([]);
  });
});
