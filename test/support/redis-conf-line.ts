/**
 * How Redis splits a line of redis.conf into words: the rules of `sdssplitargs` (Redis source, sds.c), written anew, so
 * that what nexus3 renders is read back by something else than nexus3.
 */
const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, r: 0x0d, t: 0x09, b: 0x08, a: 0x07 };

/** Undefined for a line that Redis refuses: a quote that is not closed, or one with something right behind it. */
export function splitConfLine(line: string): string[] | undefined {
  const words: string[] = [];
  let rest = line.replace(/^\s+/, '');
  while (rest !== '') {
    const word = takeWord(rest);
    if (word === undefined) return undefined;
    words.push(Buffer.from(word.bytes).toString('utf8'));
    rest = word.rest.replace(/^\s+/, '');
  }
  return words;
}

interface Taken {
  readonly bytes: readonly number[];
  readonly rest: string;
}

function takeWord(text: string): Taken | undefined {
  const bytes: number[] = [];
  let at = 0;
  while (at < text.length) {
    const character = text.charAt(at);
    if (/\s/.test(character)) break;
    if (character === '"' || character === "'") {
      const quoted = character === '"' ? takeDouble(text.slice(at + 1)) : takeSingle(text.slice(at + 1));
      if (quoted === undefined || !/^(\s|$)/.test(quoted.rest)) return undefined;
      return { bytes: [...bytes, ...quoted.bytes], rest: quoted.rest };
    }
    bytes.push(...Buffer.from(character));
    at += 1;
  }
  return { bytes, rest: text.slice(at) };
}

function takeDouble(text: string): Taken | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const character = text.charAt(at);
    if (character === '"') return { bytes, rest: text.slice(at + 1) };
    const hex = /^\\x([0-9a-fA-F]{2})/.exec(text.slice(at));
    if (hex !== null) {
      bytes.push(Number.parseInt(hex[1] ?? '', 16));
      at += 3;
    } else if (character === '\\' && at + 1 < text.length) {
      at += 1;
      bytes.push(ESCAPES[text.charAt(at)] ?? text.charCodeAt(at));
    } else bytes.push(...Buffer.from(character));
  }
  return undefined;
}

function takeSingle(text: string): Taken | undefined {
  const bytes: number[] = [];
  for (let at = 0; at < text.length; at += 1) {
    if (text.charAt(at) === "'") return { bytes, rest: text.slice(at + 1) };
    if (text.startsWith("\\'", at)) at += 1;
    bytes.push(...Buffer.from(text.charAt(at)));
  }
  return undefined;
}
