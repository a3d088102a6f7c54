/**
 * Downloads Debian packages and unpacks them without root and without touching the machine's package state: apt-get with
 * a state, a cache and sources of its own in one folder, then `dpkg -x`.
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Nexus3Error, systemErrorCode } from '../../../errors.js';
import { acquireSettings, INDEXTARGETS_FORMAT, rankArchives, sourceLine, withoutUserInfo } from './apt-archives.js';

const QUERY_TIMEOUT_MS = 30_000;
const UPDATE_TIMEOUT_MS = 180_000;
const DOWNLOAD_TIMEOUT_MS = 300_000;
const UNPACK_TIMEOUT_MS = 60_000;
const OUTPUT_BYTES_MAX = 8 * 1024 * 1024;
const EVIDENCE_LINES_MAX = 6;
const ARCHIVES_TRIED_MAX = 3;
const DEBIAN_KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';

export const FETCH_HINT =
  'A private engine can be fetched on Debian with apt-get and a reachable Debian archive. Otherwise install redis-server ' +
  'or valkey-server 7.2 or newer with libssl3 and libgomp1, name an engine with $NEXUS3_ENGINE, or use --runtime docker.';

const run = promisify(execFile);

/**
 * The archives of this machine. Without release information they are listed also where no `apt-get update` ever ran.
 * @throws Nexus3Error ENGINE_NOT_FOUND where there is no apt, or none is Debian's.
 */
async function findArchives(): Promise<readonly string[]> {
  const targets = await runTool(
    'apt-get',
    ['indextargets', '--no-release-info', '--format', INDEXTARGETS_FORMAT],
    QUERY_TIMEOUT_MS,
  );
  const archives = rankArchives(targets);
  if (archives.length > 0) return archives.slice(0, ARCHIVES_TRIED_MAX);
  throw new Nexus3Error('ENGINE_NOT_FOUND', 'The apt sources of this machine name no Debian archive.', {
    evidence: ['apt-get indextargets lists no Debian suite with a main component'],
    hint: FETCH_HINT,
  });
}

export interface DownloadRequest {
  /** An empty folder for everything that apt needs. */
  readonly workFolder: string;
  readonly suite: string;
  readonly packages: readonly string[];
  readonly onTry: (uri: string) => void;
}

/** Downloads from the first archive that has the suite; says where the .deb files are. */
export async function downloadPackages(request: DownloadRequest): Promise<readonly string[]> {
  const { workFolder, suite, packages, onTry } = request;
  const settings = acquireSettings(await runTool('apt-config', ['dump'], QUERY_TIMEOUT_MS));
  const keyring = existsSync(DEBIAN_KEYRING) ? DEBIAN_KEYRING : undefined;
  let failure: unknown;
  for (const [index, uri] of (await findArchives()).entries()) {
    onTry(uri);
    const state = join(workFolder, `apt-${String(index)}`);
    const debs = join(workFolder, `debs-${String(index)}`);
    try {
      const env = await prepareState(state, settings, sourceLine(uri, suite, keyring));
      await mkdir(debs, { recursive: true });
      await runTool('apt-get', ['-q', 'update'], UPDATE_TIMEOUT_MS, { env, cwd: debs });
      await runTool('apt-get', ['-q', 'download', ...packages], DOWNLOAD_TIMEOUT_MS, { env, cwd: debs });
      return (await readdir(debs)).filter((name) => name.endsWith('.deb')).map((name) => join(debs, name));
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

export async function unpackPackage(deb: string, target: string): Promise<void> {
  await runTool('dpkg', ['-x', deb, target], UNPACK_TIMEOUT_MS);
}

/** Everything in one folder, named by a configuration file of its own ($APT_CONFIG is read first, apt.conf(5)). */
async function prepareState(state: string, settings: string, source: string): Promise<NodeJS.ProcessEnv> {
  await mkdir(join(state, 'lists', 'partial'), { recursive: true });
  await mkdir(join(state, 'cache', 'archives', 'partial'), { recursive: true });
  await mkdir(join(state, 'log'), { recursive: true });
  await writeFile(join(state, 'status'), '');
  await writeFile(join(state, 'sources.list'), source, { mode: 0o600 });
  const folders = {
    'Dir::State': state,
    'Dir::State::status': join(state, 'status'),
    'Dir::State::lists': join(state, 'lists'),
    'Dir::Cache': join(state, 'cache'),
    'Dir::Log': join(state, 'log'),
    'Dir::Etc::main': '/dev/null',
    'Dir::Etc::parts': '/dev/null',
    'Dir::Etc::sourcelist': join(state, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    // As root, apt would otherwise change to a user who may not write here.
    'APT::Sandbox::User': '',
    // An archive that cannot be reached is a failure, not a warning.
    'APT::Update::Error-Mode': 'any',
    'Acquire::Languages': 'none',
    'Acquire::Retries': '2',
  };
  const lines = Object.entries(folders).map(([name, value]) => `${name} "${value}";\n`);
  const config = join(state, 'apt.conf');
  await writeFile(config, `${settings}${lines.join('')}`, { mode: 0o600 });
  return { ...process.env, APT_CONFIG: config };
}

interface ToolOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/** Runs one program to its end, bounded in time and output. */
async function runTool(
  program: string,
  args: readonly string[],
  timeoutMs: number,
  options: ToolOptions = {},
): Promise<string> {
  const env = { ...(options.env ?? process.env), LC_ALL: 'C', DEBIAN_FRONTEND: 'noninteractive' };
  try {
    const { stdout } = await run(program, [...args], {
      timeout: timeoutMs,
      killSignal: 'SIGKILL',
      maxBuffer: OUTPUT_BYTES_MAX,
      env,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    });
    return stdout;
  } catch (error) {
    throw toolFailure(`${program} ${args[0] === '-q' ? (args[1] ?? '') : (args[0] ?? '')}`, timeoutMs, error);
  }
}

function toolFailure(what: string, timeoutMs: number, error: unknown): Nexus3Error {
  if (systemErrorCode(error) === 'ENOENT') {
    return new Nexus3Error('ENGINE_NOT_FOUND', `A private engine cannot be fetched here: there is no ${what}.`, {
      evidence: [`${what}: no such program`],
      hint: FETCH_HINT,
      cause: error,
    });
  }
  const { killed, stdout, stderr } = error as { killed?: boolean; stdout?: string; stderr?: string };
  const lines = `${stderr ?? ''}\n${stdout ?? ''}`.split('\n').filter((line) => /^(?:E|Err|W|dpkg)\b/.test(line));
  return new Nexus3Error('ENGINE_NOT_FOUND', `The private engine could not be fetched: \`${what}\` failed.`, {
    evidence: [
      ...(killed === true ? [`no end within ${String(Math.round(timeoutMs / 1000))} s`] : []),
      ...lines.slice(0, EVIDENCE_LINES_MAX).map(withoutUserInfo),
    ],
    hint: FETCH_HINT,
    cause: error,
  });
}
