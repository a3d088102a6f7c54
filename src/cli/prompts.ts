/** Asking the person: before something that cannot be taken back, and for what must not stand on a command line. */
import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { Nexus3Error } from '../errors.js';
import type { Io } from './io.js';
import type { Output } from './output.js';
import { Secret } from '../protocol/secret.js';

/** The most that is taken from stdin as one secret, in bytes. */
export const SECRET_BYTES_MAX = 1_048_576;

export interface SecretQuestion {
  /** `Passphrase of the recovery kit` */
  readonly label: string;
  /** On a terminal, where what is typed cannot be seen: ask again, and compare. */
  readonly twice?: boolean;
  /** From a pipe: every byte counts. Otherwise one line break at the end is not part of the secret. */
  readonly exact?: boolean;
}

export interface Question {
  /** What is about to be done, a line each; shown before the question. */
  readonly about: readonly string[];
  /** What is to be typed: `yes`, or the environment's name where data may be lost. */
  readonly expect: string;
  /** The command that needs no question, for the hint. */
  readonly unasked: string;
}

export interface Prompts {
  /**
   * Resolves when it may be done.
   * @throws Nexus3Error CONFIRMATION_NEEDED where nobody can be asked, or the person did not agree; INTERRUPTED.
   */
  confirm(question: Question, yes: boolean): Promise<void>;
  /**
   * A secret, typed unseen on a terminal, or all that a pipe on stdin holds.
   * @throws Nexus3Error USAGE for nothing, for what is no text, for too much, or where two inputs differ; INTERRUPTED.
   */
  secret(question: SecretQuestion): Promise<Secret>;
}

export function makePrompts(io: Io, output: Output): Prompts {
  return {
    async confirm(question, yes) {
      if (yes) return;
      const hint = `Run it without a question: ${question.unasked}`;
      if (io.stdin.isTTY !== true || io.stderr.isTTY !== true || output.json) {
        throw new Nexus3Error('CONFIRMATION_NEEDED', 'This needs a yes, and nobody can be asked here.', {
          evidence: question.about,
          hint,
        });
      }
      output.say(question.about);
      const answer = await ask(io, `Type ${question.expect} to go on: `);
      if (answer?.trim() === question.expect) return;
      throw new Nexus3Error('CONFIRMATION_NEEDED', 'Not confirmed; nothing was changed.', { hint });
    },

    async secret(question) {
      const text = io.stdin.isTTY === true ? await typedSecret(io, question) : await pipedSecret(io, question);
      if (text !== '') return new Secret(text);
      throw new Nexus3Error('USAGE', `${question.label}: nothing was given.`, {
        hint: 'Type it when asked, or pipe it in: printf %s "$VALUE" | nexus3 …',
      });
    },
  };
}

async function typedSecret(io: Io, { label, twice }: SecretQuestion): Promise<string> {
  const first = await ask(io, `${label}: `, true);
  if (twice !== true || first === undefined || first === '') return first ?? '';
  if ((await ask(io, 'The same again: ', true)) === first) return first;
  throw new Nexus3Error('USAGE', 'The two inputs differ; nothing was changed.', { hint: 'Run it again.' });
}

/** @throws Nexus3Error USAGE */
async function pipedSecret(io: Io, { label, exact }: SecretQuestion): Promise<string> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of io.stdin) {
    const part = Buffer.isBuffer(chunk) ? chunk : Buffer.from(String(chunk));
    bytes += part.length;
    if (bytes > SECRET_BYTES_MAX) {
      throw new Nexus3Error('USAGE', `${label}: more than ${String(SECRET_BYTES_MAX)} bytes were given.`, {
        hint: 'Pipe in the value alone.',
      });
    }
    chunks.push(part);
  }
  const text = decode(Buffer.concat(chunks));
  if (text === undefined) {
    throw new Nexus3Error('USAGE', `${label}: what was given is no text in UTF-8.`, {
      hint: 'Encode it first, for example with base64.',
    });
  }
  return exact === true ? text : text.replace(/\r?\n$/, '');
}

function decode(bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  return Buffer.from(text, 'utf8').equals(bytes) ? text : undefined;
}

/** Undefined at the end of input. @param unseen what is typed is not shown */
async function ask(io: Io, question: string, unseen = false): Promise<string | undefined> {
  // An input that has ended does not end again: whoever waited for that would wait for ever.
  if (io.stdin.readableEnded) return undefined;
  const shown = unseen ? new Writable({ write: (_chunk, _encoding, done) => done() }) : io.stderr;
  const prompt = createInterface({ input: io.stdin, output: shown, terminal: true, historySize: 0 });
  if (unseen) io.stderr.write(question);
  try {
    return await new Promise((resolve, reject) => {
      const interrupted = (): void => {
        io.stderr.write('\n');
        reject(
          new Nexus3Error('INTERRUPTED', 'Interrupted; nothing was changed.', { hint: 'Run it again when ready.' }),
        );
      };
      prompt.on('SIGINT', interrupted);
      prompt.on('close', () => resolve(undefined));
      io.signal.addEventListener('abort', interrupted, { once: true });
      prompt.question(question, resolve);
    });
  } finally {
    prompt.close();
    if (unseen) io.stderr.write('\n');
  }
}
