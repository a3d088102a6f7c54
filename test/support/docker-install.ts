/** Finds dockerd, or installs Debian's docker.io when this is root on Debian. */
import { access, constants, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { EngineUnavailable } from './docker-unavailable.js';
import { run } from './run.js';

/** How long one waits for another's turn, in seconds. */
const INSTALL_TURN_S = 300;
const INSTALL_TIMEOUT_MS = 600_000;
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin', '/sbin'];

/** The path of dockerd. @throws EngineUnavailable with the reason */
export async function findDockerd(note: (text: string) => void): Promise<string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new EngineUnavailable('the stand-in images are for Linux on x86-64');
  }
  if (process.getuid?.() !== 0) throw new EngineUnavailable('starting a private Docker engine needs root');
  const present = await onPath('dockerd');
  if (present !== undefined) return present;
  if (!(await isDebian())) throw new EngineUnavailable('dockerd is not installed, and this is not Debian');
  note("installing Debian's docker.io (once)");
  await aptGet(['update']);
  await aptGet(['install', '-y', '--no-install-recommends', 'docker.io', 'iproute2']);
  const installed = await onPath('dockerd');
  if (installed === undefined) throw new EngineUnavailable('docker.io was installed, but brought no dockerd');
  return installed;
}

export async function aptGet(args: readonly string[]): Promise<void> {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Test files run side by side, and `apt-get update` does not wait for another one as `install` does.
  const turn = ['--timeout', String(INSTALL_TURN_S), join(tmpdir(), 'nexus3-apt.lock')];
  const aptGet = ['apt-get', '-q', '-o', 'DPkg::Lock::Timeout=120', '-o', 'Acquire::Retries=3', ...args];
  await run('flock', [...turn, ...aptGet], { timeoutMs: INSTALL_TURN_S * 1000 + INSTALL_TIMEOUT_MS, env });
}

async function onPath(program: string): Promise<string | undefined> {
  for (const folder of [...(process.env['PATH'] ?? '').split(delimiter), ...SYSTEM_FOLDERS]) {
    const file = join(folder, program);
    const executable = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (executable) return file;
  }
  return undefined;
}

export async function isDebian(): Promise<boolean> {
  return /^ID=debian$/m.test(await readFile('/etc/os-release', 'utf8').catch(() => ''));
}
