/**
 * A line typed at the prompt, split into arguments as redis-cli splits it (Redis source, sdssplitargs): double quotes
 * with `\n \r \t \b \a \xHH \" \\`, single quotes with `\'`, and a space behind each closing quote. Pure.
 */

/** Undefined for a line whose quotes do not match. */
export function splitLine(line: string): readonly string[] | undefined {
  const words: string[] = [];
  let rest = line.trimStart();
  while (rest !== '') {
    const word = takeWord(rest);
    if (word === undefined) return undefined;
    words.push(word.text);
    rest = rest.slice(word.length).trimStart();
  }
  return words;
}

interface Word {
  readonly text: string;
  /** As it was typed. */
  readonly length: number;
}

/** An unquoted beginning may run into a quoted end, as in `name"two words"`; after a closing quote there is a space. */
function takeWord(text: string): Word | undefined {
  const plain = /^[^\s"']*/.exec(text)?.[0] ?? '';
  const quote = text[plain.length];
  if (quote !== '"' && quote !== "'") return { text: plain, length: plain.length };
  const pattern = quote === '"' ? /^"((?:[^"\\]|\\[^])*)"(?=\s|$)/ : /^'((?:[^'\\]|\\[^])*)'(?=\s|$)/;
  const match = pattern.exec(text.slice(plain.length));
  if (match === null) return undefined;
  const inner = match[1] ?? '';
  const content = quote === '"' ? unescape(inner) : inner.replace(/\\'/g, "'");
  return { text: plain + content, length: plain.length + match[0].length };
}

const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, a: 0x07 };

/** `\xHH` names bytes: together they are read as UTF-8. */
function unescape(inner: string): string {
  const parts = inner.match(/\\x[0-9A-Fa-f]{2}|\\[^]|[^\\]+/g) ?? [];
  const bytes = parts.map((part) => {
    if (!part.startsWith('\\')) return Buffer.from(part, 'utf8');
    if (part.length === 4) return Buffer.from([Number.parseInt(part.slice(2), 16)]);
    const escaped = part.slice(1);
    const code = ESCAPES[escaped];
    return code === undefined ? Buffer.from(escaped, 'utf8') : Buffer.from([code]);
  });
  return Buffer.concat(bytes).toString('utf8');
}
