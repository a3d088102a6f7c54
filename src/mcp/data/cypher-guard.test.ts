import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LOADS, NOT_LOADS } from '../../../test/support/cypher-loads.js';
import { Nexus3Error } from '../../errors.js';
import { checkQuery, limitRows, parseCost, takesAway } from './cypher-guard.js';
import { withParameters } from './cypher-parameters.js';
import { cypherTokens } from './cypher-tokens.js';

const isRefused = (query: string): boolean => {
  try {
    checkQuery(query);
    return false;
  } catch (error) {
    return error instanceof Nexus3Error && error.code === 'QUERY_REFUSED';
  }
};
const kinds = (query: string): string => {
  const read = cypherTokens(query);
  return read.ok ? read.tokens.map(({ kind, text }) => `${kind} ${text}`).join('|') : `! ${read.problem}`;
};

describe('Cypher in tokens', () => {
  it.each([
    [
      'match (n:`a"b`) // c\nRETURN "x\\"y" AS $a',
      'word MATCH|sign (|word N|sign :|quoted-name `a"b`|sign )|word RETURN|string "x\\"y"|word AS|parameter $a',
    ],
    ['1LOAD', 'number 1|word LOAD'],
    ['$1LOAD', 'parameter $1|word LOAD'],
    ['/*/ */ x', 'word X'],
    ['/* x', '! a comment that does not end'],
    ['"x', '! a " that is never closed'],
    ['a\\u0020', '! a backslash outside a string: Cypher has no escapes there'],
    ['é', '! the character U+00E9 outside a string or a `quoted name`'],
  ])('%s', (query, expected) => {
    expect(kinds(query)).toBe(expected);
  });

  it('give back every character that is neither white nor comment, whatever it is handed', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (query) => {
        const read = cypherTokens(query);
        if (!read.ok) return;
        let at = 0;
        for (const { start, end } of read.tokens) {
          expect(query.slice(at, start)).toMatch(/^(?:\s|\/\/.*|\/\*[^]*?\*\/)*$/);
          at = end;
        }
      }),
    );
  });
});

describe('LOAD CSV', () => {
  const GAP = fc
    .array(fc.constantFrom(' ', '\n', '\t', '\r\n', '\f', '/**/', '/* " */', '/* LOAD */', "// '\n", '/*/ */'), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join(''));
  const word = (text: string) =>
    fc.array(fc.boolean(), { minLength: text.length, maxLength: text.length }).map((upper) =>
      Array.from(text)
        .map((letter, at) => (upper[at] === true ? letter.toUpperCase() : letter.toLowerCase()))
        .join(''),
    );
  const BEFORE = fc.constantFrom(
    '',
    'UNWIND [1] AS i ',
    'WITH "a\\"" AS a ',
    "WITH 'it\\'s' AS `b\"` ",
    'CALL {',
    'RETURN 1 AS r UNION ',
    'WITH 1 AS a LIMIT 1',
    '/* x */',
    "// '\n",
  );

  it('is refused wherever and however it is written', () => {
    fc.assert(
      fc.property(BEFORE, word('load'), GAP, word('csv'), (before, load, gap, csv) => {
        expect(isRefused(`${before}${load}${gap}${csv} FROM 'https://x' AS r RETURN r`)).toBe(true);
      }),
    );
    for (const query of LOADS) expect(isRefused(query), query).toBe(true);
  });

  it('is a text like others within quotes', () => {
    for (const query of NOT_LOADS) expect(isRefused(query), query).toBe(false);
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (text) => {
        fc.pre(!/[\0\p{Surrogate}]/u.test(text));
        const quoted = JSON.stringify(`${text} LOAD CSV FROM`).replaceAll(/\\[bfu]/g, 'x');
        expect(isRefused(`RETURN ${quoted} AS a`)).toBe(false);
      }),
    );
  });
});

describe('what the parser would not come to the end of', () => {
  const costOf = (query: string): number => {
    const read = cypherTokens(query);
    return read.ok ? parseCost(read.tokens) : Number.NaN;
  };

  it('costs twice as much for each level', () => {
    for (const [open, close] of [
      ['[', ']'],
      ['(', ')'],
      ['{a:', '}'],
      ['CASE WHEN x THEN ', ' END'],
      ['NOT ', ''],
      ['- ', ''],
    ]) {
      const at = (depth: number) => costOf(`RETURN ${(open ?? '').repeat(depth)}1${(close ?? '').repeat(depth)}`);
      expect(at(12) / at(11), open).toBeGreaterThan(1.7);
      expect(isRefused(`RETURN ${(open ?? '').repeat(25)}1${(close ?? '').repeat(25)}`), open).toBe(true);
    }
  });

  it('is not what people write', () => {
    const usual =
      'MATCH (p:Person {name: $name})-[r:KNOWS*1..3]->(f) WHERE NOT (f)-[:BLOCKS]->(p) AND (f.age > -1 OR coalesce(f.x, [1, 2, [3]]) IN $list) ' +
      'WITH f, collect({id: id(f), tags: [t IN f.tags WHERE NOT t IN ["a", "b"] | toUpper(trim(t))]}) AS all ' +
      'RETURN f.name, CASE WHEN size(all) > 1 THEN reduce(s = 0, x IN all | s + size(x.tags)) ELSE 0 END AS n ORDER BY n DESC SKIP 5 LIMIT 10';
    expect(costOf(usual)).toBeLessThan(5_000);
    expect(isRefused(`RETURN [${'1,'.repeat(1_500)}1]`)).toBe(false);
  });
});

describe('a bound on rows', () => {
  it.each([
    ['MATCH (n) RETURN n', 'MATCH (n) RETURN n\nLIMIT 5\n'],
    ['MATCH (n) RETURN n // c', 'MATCH (n) RETURN n\nLIMIT 5\n // c'],
    ['MATCH (n) RETURN n ;', 'MATCH (n) RETURN n\nLIMIT 5\n ;'],
    ['RETURN 1 LIMIT 3', 'RETURN 1 LIMIT 3'],
    ['RETURN 1 LIMIT 30', 'RETURN 1 LIMIT 5'],
    ['RETURN 1 SKIP 2 LIMIT $n', 'RETURN 1 SKIP 2 LIMIT $n'],
    ['RETURN 1 AS a UNION ALL RETURN 2 AS a', 'RETURN 1 AS a\nLIMIT 5\n UNION ALL RETURN 2 AS a\nLIMIT 5\n'],
    ['WITH 1 AS a LIMIT 9 RETURN a', 'WITH 1 AS a LIMIT 9 RETURN a\nLIMIT 5\n'],
    ['CALL { RETURN 1 AS a LIMIT 1 } RETURN a', 'CALL { RETURN 1 AS a LIMIT 1 } RETURN a\nLIMIT 5\n'],
    ['CALL db.labels()', 'CALL db.labels()'],
    ['RETURN "RETURN 1 LIMIT 1" AS `LIMIT`', 'RETURN "RETURN 1 LIMIT 1" AS `LIMIT`\nLIMIT 5\n'],
  ])('%s', (query, expected) => {
    expect(limitRows(checkQuery(query), 5)).toBe(expected);
  });
});

describe('a query that takes away', () => {
  it('is known by its words alone', () => {
    expect(
      ['MATCH (n) delete n', 'MATCH (n) REMOVE n.x', 'DROP INDEX ON :A(b)'].every((query) =>
        takesAway(checkQuery(query)),
      ),
    ).toBe(true);
    expect(takesAway(checkQuery('CREATE (:A {x: "DELETE"}) // DROP'))).toBe(false);
  });
});

describe('parameters', () => {
  it('stay one string of the language each, whatever is in them', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (value) => {
        fc.pre(!/[\0\p{Surrogate}]/u.test(value));
        const read = cypherTokens(withParameters('RETURN $v', { v: value }));
        expect(read.ok && read.tokens.map(({ kind }) => kind)).toEqual([
          'word',
          'word',
          'sign',
          'string',
          'word',
          'parameter',
        ]);
      }),
    );
  });

  it('have names and keys that are nothing else, or are refused', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        for (const isNested of [false, true]) {
          const parameters = isNested ? { m: { [name]: 1 } } : { [name]: 1 };
          let text: string;
          try {
            text = withParameters('RETURN 1', parameters);
          } catch (error) {
            expect(error).toMatchObject({ code: 'QUERY_REFUSED' });
            continue;
          }
          const read = cypherTokens(text);
          expect(read.ok && read.tokens.length, text).toBe(isNested ? 10 : 6);
        }
      }),
    );
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, 2 ** 53, undefined, 1n, () => 1]) {
      expect(() => withParameters('RETURN 1', { value })).toThrow(Nexus3Error);
    }
  });
});
