/**
 * The token that programs show an MCP server over HTTP: a value in a locker like any other, so that it is encrypted, and
 * that Locker's audit says who was given it.
 */
import { randomBytes } from 'node:crypto';
import { Nexus3Error } from '../errors.js';
import type { Lockers, LockerView } from '../locker/lockers.js';
import { Secret } from '../protocol/secret.js';

/** The locker, and its key. */
const LOCKER = 'mcp';
const KEY = 'http-bearer';
const DESCRIPTION = 'What a client shows an MCP server of nexus3 over HTTP';
/** 256 bits: it cannot be guessed, so that guesses need not be counted. */
const TOKEN_BYTES = 32;

export interface McpToken {
  readonly token: Secret;
  /** It was not there before. */
  readonly made: boolean;
}

/**
 * The token; made where there is none yet, or where a new one is asked for. Audited.
 * @throws Nexus3Error LOCKER_…, ROOT_KEY_…
 */
export async function mcpToken(lockers: Lockers, at: Date, options: { readonly fresh: boolean }): Promise<McpToken> {
  const made = options.fresh || (await mcpTokenVersion(lockers)) === undefined;
  if (made) {
    await ensureLocker(lockers, at);
    await lockers.set(LOCKER, new Map([[KEY, new Secret(randomBytes(TOKEN_BYTES).toString('base64url'))]]), at);
  }
  // Read back, because somebody else may have been making one at the same time: the last one is the one.
  return { token: await revealMcpToken(lockers), made };
}

/** Audited. @throws Nexus3Error LOCKER_UNKNOWN or LOCKER_KEY_UNKNOWN where there is none; LOCKER_…, ROOT_KEY_… */
export async function revealMcpToken(lockers: Lockers): Promise<Secret> {
  return (await lockers.reveal(LOCKER, KEY)).value;
}

/** Another text whenever the token is another one; undefined: there is none. Nothing is revealed. @throws LOCKER_…, ROOT_KEY_… */
export async function mcpTokenVersion(lockers: Lockers): Promise<string | undefined> {
  const view = await viewOf(lockers);
  const key = view?.keys.find(({ name }) => name === KEY);
  if (view === undefined || key === undefined || key.version === null) return undefined;
  return [view.id, String(key.version), key.madeAt ?? ''].join(' ');
}

async function viewOf(lockers: Lockers): Promise<LockerView | undefined> {
  try {
    return await lockers.show(LOCKER);
  } catch (error) {
    if (error instanceof Nexus3Error && error.code === 'LOCKER_UNKNOWN') return undefined;
    throw error;
  }
}

async function ensureLocker(lockers: Lockers, at: Date): Promise<void> {
  try {
    await lockers.create(LOCKER, { description: DESCRIPTION }, at);
  } catch (error) {
    if (!(error instanceof Nexus3Error) || error.code !== 'LOCKER_EXISTS') throw error;
  }
}
