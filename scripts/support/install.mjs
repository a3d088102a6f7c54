/** Makes sure that node_modules is what package-lock.json says. Plain Node: it runs before anything is installed. */
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';

const INSTALL_TIMEOUT_MS = 600_000;

/**
 * Runs `npm ci` when node_modules is missing or older than the lock file.
 *
 * @param {string} root the repository
 * @returns {boolean} true when something was installed
 */
export function ensureInstalled(root) {
  // npm writes this file at the end of every install, so an install that was killed is seen as none.
  const installedMs = modifiedMs(join(root, 'node_modules', '.package-lock.json'));
  const lockedMs = modifiedMs(join(root, 'package-lock.json'));
  if (installedMs !== undefined && lockedMs !== undefined && installedMs >= lockedMs) return false;
  console.log('# npm ci');
  const { status, error } = spawnSync(
    'npm',
    ['ci', '--include=dev', '--include=optional', '--no-fund', '--no-audit', '--loglevel=error'],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
      timeout: INSTALL_TIMEOUT_MS,
    },
  );
  if (status !== 0) throw new Error(`npm ci failed${error === undefined ? '' : `: ${error.message}`}`);
  return true;
}

/** @param {string} path */
function modifiedMs(path) {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}
