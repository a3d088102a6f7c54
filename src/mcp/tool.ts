/** A tool is data: what it is called, takes, gives and may do, and one function that does it. */
import type { z } from 'zod';
import type { Progress } from '../progress.js';

/** `read` changes nothing; `write` adds or changes; `destroy` takes away what cannot be had back by asking again. */
export type ToolEffect = 'read' | 'write' | 'destroy';

export interface ToolRun {
  /** Aborted when the client cancels the call or goes away. */
  readonly signal: AbortSignal;
  /** Told to the client where it asked for that. */
  readonly progress: Progress;
  /** What the question was about, as it was just before this run; undefined for a tool that asks nothing. */
  readonly agreed: string | undefined;
}

/** What a person is asked before something is done. */
export interface Question {
  /** What will be done, with names and sizes. */
  readonly text: string;
  /** What a yes is a yes to. Where it is another one when the answer comes, nothing is done. `text` by default. */
  readonly about?: string;
}

export interface Tool<Context, Input extends z.ZodObject = z.ZodObject, Output extends z.ZodObject = z.ZodObject> {
  /** snake_case: a contract. */
  readonly name: string;
  readonly title: string;
  /** For an agent: when to use it, what it gives back, what it will not do. */
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  readonly effect: ToolEffect;
  /** Called twice with the same input, the second time changes nothing more. */
  readonly idempotent: boolean;
  /**
   * What a person is asked before it is done; undefined: nobody needs to be. Called once more when the answer has come.
   * A text alone is what it is about, too.
   */
  readonly question?: (input: z.output<Input>, context: Context) => Promise<Question | string | undefined>;
  readonly run: (input: z.output<Input>, context: Context, run: ToolRun) => Promise<z.output<Output>>;
  /** What it gave back as text, for hosts that show no structured content; by default the same JSON. */
  readonly text?: (output: z.output<Output>) => string;
}

/** Infers input and output; the list of a server's tools then forgets them. */
export function tool<Context>() {
  return <Input extends z.ZodObject, Output extends z.ZodObject>(
    definition: Tool<Context, Input, Output>,
  ): Tool<Context> => definition;
}
