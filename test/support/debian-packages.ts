/** Debian packages of any suite, from this machine's own mirror, through a private apt state. Root is not needed. */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.js';

const UPDATE_TIMEOUT_MS = 120_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;
const KEYRINGS = '/usr/share/keyrings';

export interface PackageSelection {
  readonly suite: string;
  readonly packages: readonly string[];
}

/** Returns the folder that holds one folder of `.deb` files for each suite. */
export async function fetchDebianPackages(scratch: string, selections: readonly PackageSelection[]): Promise<string> {
  const state = join(scratch, 'apt');
  for (const folder of ['lists/partial', 'cache/archives/partial']) {
    await mkdir(join(state, folder), { recursive: true });
  }
  await writeFile(join(state, 'status'), '');
  const [mirror, keyring] = await Promise.all([findMirror(), findKeyring()]);
  const sources = selections.map(({ suite }) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(join(state, 'sources.list'), sources.join(''));
  const options = aptOptions(state);
  await run('apt-get', [...options, '-q', 'update'], { timeoutMs: UPDATE_TIMEOUT_MS });
  const debs = join(scratch, 'debs');
  for (const { suite, packages } of selections) {
    const cwd = join(debs, suite);
    await mkdir(cwd, { recursive: true });
    const wanted = packages.map((name) => `${name}/${suite}`);
    await run('apt-get', [...options, '-q', 'download', ...wanted], { cwd, timeoutMs: DOWNLOAD_TIMEOUT_MS });
  }
  return debs;
}

/** Everything apt would otherwise read from or write to the system. */
function aptOptions(state: string): readonly string[] {
  const settings = [
    `Dir::State=${state}`,
    `Dir::State::status=${state}/status`,
    `Dir::State::lists=${state}/lists`,
    `Dir::Cache=${state}/cache`,
    `Dir::Etc::sourcelist=${state}/sources.list`,
    'Dir::Etc::sourceparts=/dev/null',
    'Dir::Etc::preferences=/dev/null',
    'Dir::Etc::preferencesparts=/dev/null',
    'APT::Sandbox::User=',
    'Acquire::Languages=none',
    'Acquire::Retries=3',
  ];
  return settings.flatMap((setting) => ['-o', setting]);
}

/** The address from which this machine's apt gets Debian's main archive, whatever it is. */
async function findMirror(): Promise<string> {
  const codename = /^VERSION_CODENAME=(\S+)$/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? '';
  const targets = await run('apt-get', ['indextargets', '--format', '$(SITE) $(RELEASE)'], { timeoutMs: 30_000 });
  for (const line of targets.split('\n')) {
    const [site, release] = line.split(' ');
    if (site !== undefined && release === codename && !site.includes('security')) return site;
  }
  throw new Error(`apt on this machine knows no archive of its own release ${codename}`);
}

async function findKeyring(): Promise<string> {
  const names = await readdir(KEYRINGS);
  const name = ['debian-archive-keyring.gpg', 'debian-archive-keyring.pgp'].find((file) => names.includes(file));
  if (name === undefined) throw new Error(`there is no Debian archive keyring in ${KEYRINGS}`);
  return join(KEYRINGS, name);
}
