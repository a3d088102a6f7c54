/**
 * Plain calls of tools over stdio, answered beside the SDK: its way of a call parses the message four times, checks the
 * answer three times and writes long rows twice, which takes longer than a query of a graph. What is not quite plain goes
 * that way as ever, so every refusal, question, progress and envelope is the SDK's.
 */
import type { McpServerFactory } from '@modelcontextprotocol/server';
import { SILENT } from '../progress.js';
import { answerJson } from './json-list.js';
import { CALLS_AT_ONCE_MAX } from './limits.js';
import { toolFailure } from './tool-failure.js';
import type { Tool } from './tool.js';

export interface DirectCallsOptions<Context> {
  readonly tools: readonly Tool<Context>[];
  readonly context: Context;
  /** @param json one message, without a line break */
  readonly write: (json: string) => void;
}

type CallId = string | number;
type Members = Readonly<Record<string, unknown>>;

interface PlainCall {
  readonly id: CallId;
  readonly name: string;
  readonly args: Members;
}

/** Of one connection. How many are under way, the gate bounds that each tool is behind. */
export class DirectCalls<Context> {
  readonly #tools: ReadonlyMap<string, Tool<Context>>;
  readonly #context: Context;
  readonly #write: (json: string) => void;
  readonly #underWay = new Map<CallId, AbortController>();
  /** To make one takes longer than all else here; one that was never raised, and that nobody listens to any more, is as good as new. */
  readonly #unraised: AbortController[] = [];
  #legacy = false;
  #initialized = false;

  constructor({ tools, context, write }: DirectCallsOptions<Context>) {
    // A question to a person, and their answer, are messages of the SDK's.
    this.#tools = new Map(tools.filter(({ question }) => question === undefined).map((tool) => [tool.name, tool]));
    this.#context = context;
    this.#write = write;
  }

  /** The same servers; tells what age the client is of, as a call of today's protocol says more than is looked at here. */
  watching(factory: McpServerFactory): McpServerFactory {
    return (request) => {
      this.#legacy = request.era === 'legacy';
      return factory(request);
    };
  }

  /** Shown each message that comes, not checked yet. True: it is answered here. */
  take(value: unknown): boolean {
    if (!isMembers(value) || value['jsonrpc'] !== '2.0') return false;
    const { method, params } = value;
    if (method === 'tools/call') return this.#legacy && this.#initialized && this.#answers(plainCall(value));
    if (method === 'initialize') this.#initialized = true;
    // The SDK hears of it, too: the call may be one of its own.
    else if (method === 'notifications/cancelled' && isMembers(params)) this.#cancel(params);
    return false;
  }

  /** Nobody is there any more. */
  close(): void {
    const left = [...this.#underWay.values()];
    this.#underWay.clear();
    for (const call of left) call.abort(new Error('The connection has been closed.'));
  }

  #cancel({ requestId, reason }: Members): void {
    if (isId(requestId)) this.#underWay.get(requestId)?.abort(reason);
  }

  #answers(call: PlainCall | undefined): boolean {
    const tool = call === undefined ? undefined : this.#tools.get(call.name);
    if (call === undefined || tool === undefined || this.#underWay.has(call.id)) return false;
    const input = inputOf(tool, call.args);
    if (input === undefined) return false;
    const controller = this.#unraised.pop() ?? new AbortController();
    this.#underWay.set(call.id, controller);
    void this.#run(tool, input, controller.signal).then((result) => {
      if (this.#underWay.get(call.id) === controller) this.#underWay.delete(call.id);
      // Who cancelled it waits for nothing.
      if (controller.signal.aborted) return;
      this.#write(`{"jsonrpc":"2.0","id":${JSON.stringify(call.id)},"result":${result}}`);
      if (this.#unraised.length < CALLS_AT_ONCE_MAX) this.#unraised.push(controller);
    });
    return true;
  }

  /**
   * As JSON; never rejects. The SDK would also check the output against what the tool promises: that is a check of ours, not
   * of what an agent sent, and tests have it made, by the SDK over HTTP and by the client.
   */
  async #run(tool: Tool<Context>, input: Members, signal: AbortSignal): Promise<string> {
    try {
      const output = await tool.run(input, this.#context, { signal, progress: SILENT, agreed: undefined });
      const json = answerJson(output);
      const text = JSON.stringify(tool.text?.(output) ?? json);
      return `{"content":[{"type":"text","text":${text}}],"structuredContent":${json}}`;
    } catch (error) {
      return JSON.stringify(toolFailure(error));
    }
  }
}

/** A request that says which tool, with what, and nothing else: no progress is asked for, and nothing is brought along. */
function plainCall(message: Members): PlainCall | undefined {
  const { id, params } = message;
  if (!isId(id) || !isMembers(params) || !hasOnly(message, MESSAGE_MEMBERS) || !hasOnly(params, CALL_MEMBERS)) {
    return undefined;
  }
  const { name, arguments: args = {} } = params;
  return typeof name === 'string' && isMembers(args) ? { id, name, args } : undefined;
}

/** Undefined where the tool does not take it, and the SDK is to say so. */
function inputOf<Context>(tool: Tool<Context>, args: Members): Members | undefined {
  try {
    return tool.input.safeParse(args).data;
  } catch {
    // What cannot even be checked is refused in its words, too.
    return undefined;
  }
}

function isId(value: unknown): value is CallId {
  return typeof value === 'string' || Number.isSafeInteger(value);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const MESSAGE_MEMBERS: ReadonlySet<string> = new Set(['jsonrpc', 'id', 'method', 'params']);
const CALL_MEMBERS: ReadonlySet<string> = new Set(['name', 'arguments']);

function hasOnly(value: object, members: ReadonlySet<string>): boolean {
  return Object.keys(value).every((name) => members.has(name));
}
