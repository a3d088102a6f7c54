/**
 * Answers of which a part is JSON text already. Rows come as text from where they are kept, and go out as text: to parse
 * them in between, only to write them again, would be most of what a long answer costs.
 */
import { z } from 'zod';

/** A list within an answer, a member of a tool's output itself, whose items are JSON text. */
export class JsonList {
  constructor(readonly items: readonly string[]) {}
}

/** What is said of a list to clients, and looked at where an answer is checked against what was said. */
export interface JsonListShape {
  /** As JSON Schema. */
  readonly items: Readonly<Record<string, unknown>>;
  readonly isItem: (item: unknown) => boolean;
}

/**
 * A field of a tool's output that the tool gives as a `JsonList` and that clients get as a list. Its type is what the tool
 * gives; what it checks is what a client gets (`answerValue`), as a schema of items would copy each of them:
 *
 *     rows: jsonListField({ items: { type: 'array', items: {} }, isItem: Array.isArray }).describe('…')
 */
export function jsonListField({ items, isItem }: JsonListShape): z.ZodType<JsonList> {
  const list = z.unknown().refine((value) => Array.isArray(value) && value.every((item) => isItem(item)));
  return list.meta({ type: 'array', items }) as z.ZodType<JsonList>;
}

/** The output of a tool as JSON text, with the items of its lists as they are. */
export function answerJson(output: object): string {
  const values: readonly unknown[] = Object.values(output);
  if (!values.some((value) => value instanceof JsonList)) return JSON.stringify(output);
  const members: string[] = [];
  for (const [name, value] of Object.entries(output) as [string, unknown][]) {
    const json = value instanceof JsonList ? `[${value.items.join(',')}]` : jsonOf(value);
    if (json !== undefined) members.push(`${JSON.stringify(name)}:${json}`);
  }
  return `{${members.join(',')}}`;
}

/** The output of a tool as plain values, for whoever writes or checks it as such. */
export function answerValue(output: Readonly<Record<string, unknown>>): Record<string, unknown> {
  if (!Object.values(output).some((value) => value instanceof JsonList)) return output;
  const members = Object.entries(output).map(([name, value]): [string, unknown] => [
    name,
    value instanceof JsonList ? value.items.map((item): unknown => JSON.parse(item)) : value,
  ]);
  return Object.fromEntries(members);
}

/** Its type does not say so, but what has no JSON, such as undefined, gives undefined. */
function jsonOf(value: unknown): string | undefined {
  return JSON.stringify(value);
}
