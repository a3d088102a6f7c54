/** Finds Python with redis-py, or installs Debian's python3-redis when this is root on Debian. */
import { aptGet, isDebian } from './docker-install.js';
import { run } from './run.js';

const PYTHON = '/usr/bin/python3';
const LOOK_TIMEOUT_MS = 20_000;

/** The path of python3; undefined where it or redis-py cannot be had, which is said. */
export async function findPythonWithRedis(note: (text: string) => void): Promise<string | undefined> {
  if (await hasRedis()) return PYTHON;
  if (process.getuid?.() !== 0 || !(await isDebian())) {
    note(
      'SKIPPED: what Python does is not tried, because python3-redis is not installed and this is not root on Debian',
    );
    return undefined;
  }
  note("installing Debian's python3-redis (once)");
  await aptGet(['update']);
  await aptGet(['install', '-y', '--no-install-recommends', 'python3-redis']);
  if (await hasRedis()) return PYTHON;
  throw new Error('python3-redis was installed, but python3 cannot import redis');
}

async function hasRedis(): Promise<boolean> {
  return run(PYTHON, ['-c', 'import redis'], { timeoutMs: LOOK_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
}
