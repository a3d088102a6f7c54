/** Reads with a token: all that is asked is known from its file, so that neither configuration nor root key are needed. */
import { Nexus3Error } from '../../errors.js';
import type { CredentialName } from '../../protocol/users.js';
import { type Who, whoAsks } from '../audit/who.js';
import type { LockerReply } from '../channel.js';
import { KEY } from '../keys.js';
import type { AuditNote } from '../locker.js';
import { toFields } from '../sealed-hash.js';
import { openWithToken } from '../token/open.js';
import type { Token } from '../token/token.js';
import { loadToken } from '../token/token-file.js';
import type { AskLocker, CredentialSource, FoundCredential } from './source.js';
import { asLockerFailure } from './source.js';

/** So many notes about wait for the audit to take them; what is older is lost. */
const INBOX_ENTRIES_MAX = 1_000;

export class TokenSource implements CredentialSource {
  readonly #path: string;
  readonly #ask: AskLocker;

  constructor(path: string, ask: AskLocker) {
    this.#path = path;
    this.#ask = ask;
  }

  async read(env: string, name: CredentialName): Promise<FoundCredential> {
    const { token, replies } = await this.#readWith(env, name);
    try {
      return { password: openWithToken(token, name, toFields(replies[0])), vault: token.vault };
    } catch (error) {
      if (error instanceof Nexus3Error) await this.#noteDenied(token, name, error.code);
      throw error;
    }
  }

  /** Refused, the file is looked at once more: another token may have been put in its place meanwhile. */
  async #readWith(env: string, name: CredentialName): Promise<{ token: Token; replies: readonly LockerReply[] }> {
    let refused: Token | undefined;
    for (;;) {
      const token = await loadToken(this.#path);
      if (token.env !== env) throw otherEnvironment(token, env);
      if (refused !== undefined && token.toText() === refused.toText()) throw revoked(token, this.#path);
      const note = { action: 'get', what: `${env}/${name}`, outcome: 'ok' } as const;
      const replies = await this.#askAs(token, [['HGETALL', KEY.environment(env)], noteCommand(token, note)]);
      if (replies !== 'refused') return { token, replies };
      if (refused !== undefined) throw revoked(token, this.#path);
      refused = token;
    }
  }

  async #askAs(token: Token, commands: readonly (readonly string[])[]): Promise<readonly LockerReply[] | 'refused'> {
    try {
      return await this.#ask(token.locker, { user: token.id, password: token.password }, commands);
    } catch (error) {
      throw asLockerFailure(token.locker, error);
    }
  }

  async #noteDenied(token: Token, name: CredentialName, detail: string): Promise<void> {
    const note = { action: 'get', what: `${token.env}/${name}`, outcome: 'denied', detail } as const;
    // Why it was denied is what the caller has to hear.
    await this.#askAs(token, [noteCommand(token, note)]).catch(() => undefined);
  }
}

/** Into the token's own inbox, from which the audit takes it. */
function noteCommand(token: Token, note: AuditNote): readonly string[] {
  const text = JSON.stringify({ ...note, who: whoAsksWith(token), at: new Date().toISOString() });
  return ['XADD', KEY.inbox(token.id), 'MAXLEN', '~', String(INBOX_ENTRIES_MAX), '*', 'note', text];
}

/** Looked up once: it does not change while a process lives, but that its parent ends. */
let who: Who | undefined;

function whoAsksWith(token: Token): Who {
  who ??= whoAsks(token.id);
  return { ...who, token: token.id };
}

function otherEnvironment(token: Token, env: string): Nexus3Error {
  return new Nexus3Error('TOKEN_NOT_FOR', `The token ${token.id} is not for ${JSON.stringify(env.slice(0, 40))}.`, {
    evidence: [`it is for ${token.env}`],
    hint: `Name ${token.env}, or another token with --token or $NEXUS3_TOKEN_FILE.`,
  });
}

function revoked(token: Token, path: string): Nexus3Error {
  return new Nexus3Error('TOKEN_REVOKED', `Locker refuses the token ${token.id}.`, {
    evidence: [`${path}: ${token.id} for ${token.env}`],
    hint:
      `It was revoked, or its user is not in force: \`nexus3 locker grants\` on the host of Locker says which. For a new ` +
      `one: nexus3 locker grant ${token.env}`,
  });
}
