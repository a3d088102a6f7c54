/** What is refused in Cypher before a server sees it, and how many rows it may give back. Pure. */
import { Nexus3Error } from '../../errors.js';
import type { Token } from './cypher-tokens.js';
import { cypherTokens } from './cypher-tokens.js';
import { isWhole } from './text.js';
import { QUERY_BYTES_MAX, QUERY_PARSE_COST_MAX, QUERY_PATTERNS_MAX, QUERY_TOKENS_MAX } from './limits.js';

/** Of a query that may be sent. */
export interface CheckedQuery {
  readonly text: string;
  readonly tokens: readonly Token[];
}

/** @throws Nexus3Error QUERY_REFUSED, with what to write instead */
export function checkQuery(query: string): CheckedQuery {
  if (Buffer.byteLength(query) > QUERY_BYTES_MAX) {
    const hint = 'Hand the values over in `parameters`, which may be larger, or do it in several calls.';
    throw refused(`The query is longer than ${String(QUERY_BYTES_MAX)} bytes.`, hint);
  }
  // The engine reads to the first NUL and no further; half of a character would be sent as another one.
  if (query.includes('\0') || !isWhole(query)) {
    throw refused('The query holds a NUL character or half of a character.', 'Leave it out.');
  }
  const read = cypherTokens(query);
  if (!read.ok) {
    throw refused(`The query cannot be read: at position ${String(read.at)} there is ${read.problem}.`, 'Correct it.');
  }
  const { tokens } = read;
  const [first] = tokens;
  if (first === undefined) throw refused('The query is empty.', 'Write one, such as MATCH (n) RETURN n LIMIT 10.');
  if (first.kind === 'word' && ['CYPHER', 'EXPLAIN', 'PROFILE'].includes(first.text)) {
    const hint = 'Leave that word out: values belong in `parameters`, and a plan is what graph_explain gives.';
    throw refused(`The query begins with ${first.text}.`, hint);
  }
  // With parameters in front, the engine would read it as one more of them.
  if (first.kind === 'word' && tokens[1]?.text === '=') {
    throw refused('The query begins with a parameter.', 'Hand it over in `parameters`.');
  }
  if (tokens.some((token, index) => isWord(token, 'LOAD') && isWord(tokens[index + 1], 'CSV'))) {
    const hint = 'Read the file yourself, hand its rows over in `parameters`, and UNWIND them.';
    throw refused('LOAD CSV makes a server open files and addresses, and is refused always.', hint);
  }
  checkSize(tokens);
  return { text: query, tokens };
}

function checkSize(tokens: readonly Token[]): void {
  if (tokens.length > QUERY_TOKENS_MAX) {
    const hint = 'Hand lists of values over in `parameters`, or do it in several calls.';
    throw refused(`The query has more than ${String(QUERY_TOKENS_MAX)} words and signs.`, hint);
  }
  const patterns = tokens.filter((token, index) => token.text === '[' && tokens[index - 1]?.text === '-').length;
  if (patterns > QUERY_PATTERNS_MAX) {
    const hint = 'Ask with several queries, or with a path of variable length such as -[*1..5]->.';
    throw refused(`The query has more than ${String(QUERY_PATTERNS_MAX)} relationships.`, hint);
  }
  if (parseCost(tokens) > QUERY_PARSE_COST_MAX) {
    const hint =
      'Nest fewer brackets, CASE and NOT within one another (WITH names a part), or hand data over in `parameters`.';
    throw refused('The query is nested so deeply that the engine would not come to the end of reading it.', hint);
  }
}

const OPENING = new Set(['(', '[', '{', 'CASE']);
const CLOSING = new Set([')', ']', '}', 'END']);
const PREFIX = new Set(['NOT', '-', '+']);

/** FalkorDB's parser tries what is within brackets twice at each level, and what follows NOT or a sign as well. */
export function parseCost(tokens: readonly Token[]): number {
  let cost = 0;
  let depth = 0;
  let prefixes = 0;
  for (const { kind, text } of tokens) {
    const plain = kind === 'word' || kind === 'sign';
    if (plain && CLOSING.has(text)) depth = Math.max(0, depth - 1);
    cost += 2 ** Math.min(depth + prefixes, 1_000);
    prefixes = plain && (PREFIX.has(text) || (OPENING.has(text) && prefixes > 0)) ? prefixes + 1 : 0;
    if (plain && OPENING.has(text)) depth += 1;
  }
  return cost;
}

function isWord(token: Token | undefined, text: string): boolean {
  return token?.kind === 'word' && token.text === text;
}

/** Words of a query that take away. */
const TAKING_AWAY = new Set(['DELETE', 'REMOVE', 'DROP']);

export function takesAway({ tokens }: CheckedQuery): boolean {
  return tokens.some((token) => token.kind === 'word' && TAKING_AWAY.has(token.text));
}

/**
 * The query with a LIMIT on what it gives back, so that the engine stops there: after each of its last RETURNs (of a
 * UNION there are several) that has none. One that is there stays, but for a number beyond `rows`; what an expression or a
 * parameter there lets through is bounded by the bytes of the reply.
 */
export function limitRows(query: CheckedQuery, rows: number): string {
  const { text, tokens } = query;
  let limited = '';
  let copied = 0;
  for (const { end, limit, returns } of branches(tokens)) {
    // A procedure called by itself can have no LIMIT.
    if (!returns) continue;
    if (limit === undefined) {
      limited += `${text.slice(copied, end)}\nLIMIT ${String(rows)}\n`;
      copied = end;
      continue;
    }
    const only = limit.length === 1 ? limit[0] : undefined;
    if (only === undefined || (only.kind !== 'number' && only.kind !== 'parameter')) continue;
    if (only.kind === 'number' && Number(only.text) > rows) {
      limited += `${text.slice(copied, only.start)}${String(rows)}`;
      copied = only.end;
    }
  }
  return limited + text.slice(copied);
}

interface Branch {
  /** Where its last token ends. */
  readonly end: number;
  readonly returns: boolean;
  /** The tokens after LIMIT. */
  readonly limit: readonly Token[] | undefined;
}

function branches(tokens: readonly Token[]): readonly Branch[] {
  const found: Branch[] = [];
  let depth = 0;
  let [returns, end] = [false, 0];
  let limit: Token[] | undefined;
  const close = (): void => {
    if (end > 0) found.push({ end, returns, limit });
    returns = false;
    limit = undefined;
  };
  for (const token of tokens) {
    if (token.kind === 'sign' && token.text === ';') continue;
    if (token.kind === 'sign' && '([{'.includes(token.text)) depth += 1;
    if (token.kind === 'sign' && ')]}'.includes(token.text)) depth -= 1;
    if (depth === 0 && isWord(token, 'UNION')) close();
    else if (depth === 0 && isWord(token, 'RETURN')) {
      returns = true;
      limit = undefined;
    } else if (depth === 0 && returns && isWord(token, 'LIMIT')) limit = [];
    else limit?.push(token);
    end = token.end;
  }
  close();
  return found;
}

export function refused(message: string, hint: string): Nexus3Error {
  return new Nexus3Error('QUERY_REFUSED', message, { hint });
}
