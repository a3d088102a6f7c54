/** Where restic is, and whether it is new enough. */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { systemErrorCode } from '../../errors.js';
import { resticNotFound } from './faults.js';
import { runRestic } from './run.js';

/** Of Debian 12. Its repositories compress, and its JSON is what is read here. */
const VERSION_MIN = { major: 0, minor: 14 } as const;
const VERSION_TIMEOUT_MS = 20_000;

/** @returns an absolute path @throws Nexus3Error RESTIC_NOT_FOUND */
export async function findRestic(variables: NodeJS.ProcessEnv): Promise<string> {
  const folders = (variables['PATH'] ?? '').split(delimiter).filter((folder) => isAbsolute(folder));
  const program = folders.map((folder) => join(folder, 'restic')).find(isProgram);
  if (program === undefined) throw resticNotFound([`not in ${folders.join(', ') || 'an empty PATH'}`]);
  const { stdout } = await runRestic(program, {
    args: ['version'],
    environment: {},
    timeoutMs: VERSION_TIMEOUT_MS,
  });
  const version = parseVersion(stdout);
  if (version === undefined) {
    throw resticNotFound([`\`${program} version\` does not say one`], 'What is named restic is another program.');
  }
  if (version.major === VERSION_MIN.major && version.minor < VERSION_MIN.minor) {
    throw resticNotFound(
      [`${program} is ${version.text}`],
      `restic is too old: nexus3 needs ${String(VERSION_MIN.major)}.${String(VERSION_MIN.minor)} or newer.`,
    );
  }
  return program;
}

/** @param text `restic 0.14.0 compiled with go1.19.8 on linux/amd64` */
export function parseVersion(
  text: string,
): { readonly major: number; readonly minor: number; readonly text: string } | undefined {
  const match = /^restic (?:v)?((\d{1,4})\.(\d{1,4})(?:\.\d{1,4})?)/m.exec(text);
  if (match === null) return undefined;
  return { text: match[1] ?? '', major: Number(match[2]), minor: Number(match[3]) };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return false;
    throw error;
  }
}
