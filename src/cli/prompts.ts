/** Asking the person before something that cannot be taken back. */
import { createInterface } from 'node:readline';
import { Nexus3Error } from '../errors.js';
import type { Io } from './io.js';
import type { Output } from './output.js';

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
  };
}

/** Undefined at the end of input. */
async function ask(io: Io, question: string): Promise<string | undefined> {
  const prompt = createInterface({ input: io.stdin, output: io.stderr, terminal: true, historySize: 0 });
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
  }
}
