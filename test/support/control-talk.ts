/** A client of the care server that remembers all it was told, whichever way the two are joined. */
import type { CallToolResult, Client, RequestOptions, Tool, Transport } from '@modelcontextprotocol/client';
import { expect } from 'vitest';
import type { Nexus } from './nexus.js';
import type { Era, Person } from './mcp-link.js';
import { mcpClient } from './mcp-link.js';

/** A running care server, and the way to it for one client. */
export interface ControlLink extends AsyncDisposable {
  readonly transport: Transport;
  /** What it has said to people: its log, its standard error. */
  readonly log: () => string;
}

export type OpenControl = (nexus: Nexus, options: { readonly allowChanges: boolean }) => Promise<ControlLink>;

export type Fields = Readonly<Record<string, unknown>>;

export class ControlTalk implements AsyncDisposable {
  /** Every message from the server, as it came. */
  readonly heard: string[] = [];

  private constructor(
    readonly client: Client,
    /** What the person was asked. */
    readonly asked: string[],
    private readonly link: ControlLink,
  ) {}

  static async open(
    nexus: Nexus,
    open: OpenControl,
    {
      era,
      person,
      allowChanges = true,
    }: { readonly era: Era; readonly person?: Person; readonly allowChanges?: boolean },
  ): Promise<ControlTalk> {
    const link = await open(nexus, { allowChanges });
    const asked: string[] = [];
    const remembering =
      person === undefined ? undefined : (question: string) => (asked.push(question), person(question));
    const talk = new ControlTalk(mcpClient(era, remembering), asked, link);
    await talk.client.connect(link.transport);
    const hear = link.transport.onmessage;
    link.transport.onmessage = (message, extra) => {
      talk.heard.push(JSON.stringify(message));
      hear?.(message, extra);
    };
    return talk;
  }

  get log(): string {
    return this.link.log();
  }

  async tools(): Promise<readonly Tool[]> {
    return (await this.client.listTools()).tools;
  }

  async call(name: string, args: Fields = {}, options?: RequestOptions): Promise<CallToolResult> {
    return this.client.callTool({ name, arguments: args }, { timeout: CALL_TIMEOUT_MS, ...options });
  }

  /** The structured content; it must not be an error, and the text must say the same. */
  async get(name: string, args: Fields = {}, options?: RequestOptions): Promise<Fields> {
    const result = await this.call(name, args, options);
    expect(result.isError, textOf(result)).toBeFalsy();
    expect(JSON.parse(textOf(result))).toEqual(result.structuredContent);
    return result.structuredContent as Fields;
  }

  /** The text of an error; it must be one. */
  async fail(name: string, args: Fields = {}, options?: RequestOptions): Promise<string> {
    const result = await this.call(name, args, options);
    expect(result.isError, textOf(result)).toBe(true);
    return textOf(result);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.close();
    await this.link[Symbol.asyncDispose]();
  }
}

const CALL_TIMEOUT_MS = 100_000;

export function textOf(result: CallToolResult): string {
  return result.content.map((one) => (one.type === 'text' ? one.text : one.type)).join('\n');
}
