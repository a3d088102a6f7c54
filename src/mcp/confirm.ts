/**
 * The person's word before something is changed, in whichever way the host can ask for it. A yes counts once, for the
 * very call it was asked for, and only while that call would still do the same.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type {
  ElicitResult,
  InputRequiredResult,
  McpServer,
  RequestStateCodec,
  ServerContext,
} from '@modelcontextprotocol/server';
import {
  acceptedContent,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  inputRequired,
} from '@modelcontextprotocol/server';
import { z } from 'zod';
import { Nexus3Error } from '../errors.js';
import type { Question } from './tool.js';

export interface Asked {
  readonly server: McpServer;
  readonly request: ServerContext;
  readonly era: 'legacy' | 'modern';
}

export interface Confirmable {
  readonly tool: string;
  readonly args: unknown;
  /** As it is now; asked for again when an answer has come. */
  readonly question: () => Promise<Question | string | undefined>;
}

/** The person said yes, or the host cannot ask; or the answer is yet to come, and the tool gives back the question. */
export type Confirmation =
  | { readonly agreed: true; readonly to: string | undefined }
  | { readonly agreed: false; readonly ask: InputRequiredResult };

const ANSWER = z.object({ confirm: z.boolean() });
const FORM = {
  type: 'object' as const,
  properties: { confirm: { type: 'boolean' as const, title: 'Do it' } },
  required: ['confirm'],
};
const CAPABILITIES = z.object({
  elicitation: z.object({ form: z.unknown(), url: z.unknown() }).partial().optional(),
});
/** How long a person may take, in milliseconds. */
const ANSWER_TIMEOUT_MS = 600_000;
/** How many questions may be open at a time; the oldest one lapses when there are more. */
const QUESTIONS_OPEN_MAX = 1_000;
const KEY_BYTES = 32;

/** What goes to the client with a question and comes back with its answer, sealed. It holds no secret. */
interface Sealed {
  readonly id: string;
  /** SHA-256 of the tool, its arguments, and what the question was about. */
  readonly asked: string;
}

/** Of one server process: the questions that it has asked and that nobody has answered yet. */
export class Confirmations {
  readonly #codec: RequestStateCodec<Sealed>;
  readonly #open = new Set<string>();

  constructor(private readonly answerTimeoutMs = ANSWER_TIMEOUT_MS) {
    this.#codec = createRequestStateCodec<Sealed>({
      key: randomBytes(KEY_BYTES),
      ttlSeconds: Math.ceil(answerTimeoutMs / 1_000),
    });
  }

  /** For `ServerOptions.requestState`: what was not sealed here, or too long ago, never reaches a tool. */
  readonly verify = (state: string, request: ServerContext): Promise<Sealed> => this.#codec.verify(state, request);

  /** @throws Nexus3Error CONFIRMATION_NEEDED, PLAN_CHANGED: nothing may be done */
  async confirm(what: Confirmable, asked: Asked): Promise<Confirmation> {
    const question = questionOf(await what.question());
    if (question === undefined) return { agreed: true, to: undefined };
    if (!canAsk(asked)) return { agreed: true, to: question.about };
    return asked.era === 'modern'
      ? this.#askInRounds(what, question, asked)
      : this.#askAtOnce(what, question, asked.request);
  }

  async #askInRounds(what: Confirmable, question: Required<Question>, { request }: Asked): Promise<Confirmation> {
    const asked = digestOf(what, question);
    const { inputResponses } = request.mcpReq;
    const sealed = request.mcpReq.requestState<Sealed>();
    if (sealed === undefined) {
      const ask = inputRequired({
        inputRequests: { confirm: inputRequired.elicit({ message: question.text, requestedSchema: FORM }) },
        requestState: await this.#codec.mint({ id: this.#opened(), asked }),
      });
      return { agreed: false, ask };
    }
    if (!this.#open.delete(sealed.id)) throw answeredBefore();
    if (sealed.asked !== asked) throw changedMeanwhile();
    if (acceptedContent(inputResponses, 'confirm', ANSWER)?.confirm !== true) throw notAgreed(question);
    return { agreed: true, to: question.about };
  }

  #opened(): string {
    const [oldest] = this.#open;
    if (oldest !== undefined && this.#open.size >= QUESTIONS_OPEN_MAX) this.#open.delete(oldest);
    const id = randomUUID();
    this.#open.add(id);
    return id;
  }

  /** A host of 2025 is asked while the call is under way, so the answer cannot be that of another one. */
  async #askAtOnce(what: Confirmable, question: Required<Question>, { mcpReq }: ServerContext): Promise<Confirmation> {
    const answer = await this.#elicit(question, mcpReq);
    if (answer.action !== 'accept' || ANSWER.safeParse(answer.content).data?.confirm !== true)
      throw notAgreed(question);
    const now = questionOf(await what.question());
    if (now?.about !== question.about) throw changedMeanwhile();
    return { agreed: true, to: now.about };
  }

  async #elicit(question: Required<Question>, mcpReq: ServerContext['mcpReq']): Promise<ElicitResult> {
    try {
      // Deprecated for what came after it; for a host of 2025 this is the one way.
      // eslint-disable-next-line @typescript-eslint/no-deprecated
      return await mcpReq.elicitInput(
        { mode: 'form', message: question.text, requestedSchema: FORM },
        { timeout: this.answerTimeoutMs, signal: mcpReq.signal, relatedRequestId: mcpReq.id },
      );
    } catch (error) {
      throw new Nexus3Error('CONFIRMATION_NEEDED', 'The person gave no answer that counts, so nothing was done.', {
        evidence: [error instanceof Error ? error.message : String(error)],
        hint: 'Ask the person what they want; call the tool again only if they want it done.',
      });
    }
  }
}

function questionOf(question: Question | string | undefined): Required<Question> | undefined {
  if (question === undefined) return undefined;
  if (typeof question === 'string') return { text: question, about: question };
  return { text: question.text, about: question.about ?? question.text };
}

/** A host that shows forms; one that says `elicitation` and no more does. One that only opens pages cannot ask for a yes. */
function canAsk({ server, request, era }: Asked): boolean {
  const declared =
    era === 'modern'
      ? new Map<string, unknown>(Object.entries(request.mcpReq.envelope ?? {})).get(CLIENT_CAPABILITIES_META_KEY)
      : // eslint-disable-next-line @typescript-eslint/no-deprecated
        server.server.getClientCapabilities();
  const elicitation = CAPABILITIES.safeParse(declared).data?.elicitation;
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

function digestOf({ tool, args }: Confirmable, { about }: Required<Question>): string {
  return createHash('sha256')
    .update(JSON.stringify([tool, args, about]))
    .digest('hex');
}

function notAgreed({ text }: Required<Question>): Nexus3Error {
  return new Nexus3Error('CONFIRMATION_NEEDED', 'The person did not agree, so nothing was done.', {
    evidence: [`they were asked: ${text}`],
    hint: 'Do not call it again by yourself: ask the person what they want instead.',
  });
}

function answeredBefore(): Nexus3Error {
  return new Nexus3Error('CONFIRMATION_NEEDED', 'That question is not open any more, so nothing was done.', {
    evidence: ['each answer counts once'],
    hint: 'Call the tool anew, and the person is asked anew.',
  });
}

function changedMeanwhile(): Nexus3Error {
  return new Nexus3Error('PLAN_CHANGED', 'The person agreed to something else than would be done now; nothing was.', {
    hint: 'Look again at what would be done, then call the tool anew: the person is asked anew.',
  });
}
