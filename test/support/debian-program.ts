/** Programs of Debian that some tests hold nexus3 against: there already, or installed when this is root on Debian. */
import { aptGet, isDebian } from './docker-install.js';
import { run } from './run.js';

const LOOK_TIMEOUT_MS = 20_000;

export interface DebianProgram {
  readonly package: string;
  /** Ends well where it is there. */
  readonly look: readonly [program: string, ...args: readonly string[]];
}

export const PYTHON_WITH_REDIS: DebianProgram = {
  package: 'python3-redis',
  look: ['/usr/bin/python3', '-c', 'import redis'],
};
export const AGE: DebianProgram = { package: 'age', look: ['/usr/bin/age', '--version'] };
export const RESTIC: DebianProgram = { package: 'restic', look: ['/usr/bin/restic', 'version'] };
/** For a server whose clock is set. */
export const FAKETIME: DebianProgram = { package: 'faketime', look: ['/usr/bin/faketime', '--version'] };
/** To hold units against. Nothing of it is started. */
export const SYSTEMD: DebianProgram = { package: 'systemd', look: ['/usr/bin/systemd-analyze', '--version'] };
/** To type at a terminal where a program insists on one. */
export const PYTHON: DebianProgram = { package: 'python3', look: ['/usr/bin/python3', '--version'] };

/** False where it cannot be had, which is said. @throws Error where it was installed and still does not work */
export async function findOrInstall(program: DebianProgram): Promise<boolean> {
  if (await isThere(program)) return true;
  if (process.getuid?.() !== 0 || !(await isDebian())) {
    say(`SKIPPED: what needs ${program.package} is not tried; it is not installed, and this is not root on Debian`);
    return false;
  }
  say(`installing Debian's ${program.package} (once)`);
  await aptGet(['update']);
  await aptGet(['install', '-y', '--no-install-recommends', program.package]);
  if (await isThere(program)) return true;
  throw new Error(`${program.package} was installed, but ${program.look.join(' ')} does not work`);
}

function say(text: string): void {
  process.stderr.write(`# ${text}\n`);
}

async function isThere({ look: [name, ...args] }: DebianProgram): Promise<boolean> {
  return run(name, args, { timeoutMs: LOOK_TIMEOUT_MS }).then(
    () => true,
    () => false,
  );
}
