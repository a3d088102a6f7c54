/** A token on disk: where it lies, who may read it, and how it comes and goes. */
import { rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Nexus3Error, writeFailure } from '../../errors.js';
import { makeFolder, syncFolder, writeFileWhole } from '../../files.js';
import { readClosedFile } from '../closed-file.js';
import { parseToken, type Token, type TokenFault } from './token.js';

const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;

/** `tokens/{env}.token` beside the root key. */
export function defaultTokenPath(rootKeyPath: string, env: string): string {
  return join(dirname(rootKeyPath), 'tokens', `${env}.token`);
}

/** @throws Nexus3Error TOKEN_MISSING, TOKEN_UNSAFE, TOKEN_INVALID */
export async function loadToken(path: string): Promise<Token> {
  const token = await tokenAt(path);
  if (token !== undefined) return token;
  throw new Nexus3Error('TOKEN_MISSING', `There is no token at ${path}.`, {
    evidence: [path],
    hint: 'Say where it is with --token or $NEXUS3_TOKEN_FILE, or have one made on the host of Locker: nexus3 locker grant ENV',
  });
}

/** Undefined: nothing is there. @throws Nexus3Error TOKEN_UNSAFE, TOKEN_INVALID */
export async function tokenAt(path: string): Promise<Token | undefined> {
  const file = readClosedFile(path, {
    what: 'token',
    unsafe: (evidence, hint) =>
      new Nexus3Error('TOKEN_UNSAFE', `The token at ${path} is not safe to use.`, {
        evidence: [`${path}: ${evidence}`],
        hint,
      }),
    tooLarge: () => invalid(path, 'unknown-format'),
  });
  if (file === undefined) return undefined;
  const token = parseToken(file.text);
  if (typeof token === 'string') throw invalid(path, token);
  return token;
}

/** Written whole. @throws Nexus3Error DISK_FULL, FILE_NOT_WRITABLE */
export async function writeToken(path: string, token: Token): Promise<void> {
  await makeFolder(dirname(path), { mode: FOLDER_MODE });
  await writeFileWhole(path, token.toText(), { mode: FILE_MODE });
}

/** False: what lies there is not the token of this id, and stays. @throws Nexus3Error FILE_NOT_WRITABLE */
export async function removeToken(path: string, id: string): Promise<boolean> {
  const found = await tokenAt(path).catch((error: unknown) => {
    if (error instanceof Nexus3Error) return undefined;
    throw error;
  });
  if (found?.id !== id) return false;
  try {
    await rm(path, { force: true });
    await syncFolder(dirname(path));
    return true;
  } catch (error) {
    throw writeFailure(path, error);
  }
}

const FAULTS: Readonly<Record<TokenFault, string>> = {
  empty: 'it is empty',
  'unknown-format': 'it is not in a format that this version of nexus3 knows',
  'truncated-or-edited': 'it is cut short or was edited: its checksum does not fit',
};

function invalid(path: string, fault: TokenFault): Nexus3Error {
  return new Nexus3Error('TOKEN_INVALID', `The file at ${path} is not a token.`, {
    evidence: [`${path}: ${FAULTS[fault]}`],
    hint: 'Name the right file, or move this one away and have a new one made on the host of Locker: nexus3 locker grant ENV',
  });
}
