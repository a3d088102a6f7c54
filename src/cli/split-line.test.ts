import { describe, expect, it } from 'vitest';
import { splitLine } from './split-line.js';

describe('a line typed at the prompt', () => {
  it.each([
    ['', []],
    ['  SET  a b ', ['SET', 'a', 'b']],
    ['SET k "two words"', ['SET', 'k', 'two words']],
    ["SET k 'it\\'s \"x\"'", ['SET', 'k', 'it\'s "x"']],
    ['SET k ""', ['SET', 'k', '']],
    [String.raw`SET k "\n\t\"\\\x41\q"`, ['SET', 'k', '\n\t"\\Aq']],
    [String.raw`SET k "\xc3\xa9"`, ['SET', 'k', 'é']],
    ['GRAPH.QUERY g "RETURN \'a\'"', ['GRAPH.QUERY', 'g', "RETURN 'a'"]],
    ['name"two words"', ['nametwo words']],
  ])('%j', (line, words) => {
    expect(splitLine(line)).toEqual(words);
  });

  it.each(['"open', "'open", '"a"b', 'a"b'])('refuses %j', (line) => {
    expect(splitLine(line)).toBeUndefined();
  });
});
