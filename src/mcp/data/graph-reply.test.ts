import { describe, expect, it } from 'vitest';
import { graphRows } from './graph-read.js';
import { RESULT_BYTES_MAX, ROW_BYTES_MAX, VALUE_BYTES_MAX, VALUE_DEPTH_MAX } from './limits.js';

type Raw = string | number | bigint | null | readonly Raw[];

function serialize(raw: Raw): string {
  if (raw === null) return '$-1\r\n';
  if (typeof raw === 'string') return `$${String(Buffer.byteLength(raw))}\r\n${raw}\r\n`;
  if (Array.isArray(raw)) return `*${String(raw.length)}\r\n${(raw as readonly Raw[]).map(serialize).join('')}`;
  return `:${String(raw)}\r\n`;
}

const NAMES: Readonly<Record<string, readonly string[]>> = {
  'CALL db.labels()': ['Person', 'Odd "label"'],
  'CALL db.relationshipTypes()': ['KNOWS'],
  'CALL db.propertyKeys()': ['name', '__proto__', 'long'.repeat(1_000)],
};

/** A server that answers these cells as each of its rows, and knows the names. */
async function answer(cells: readonly Raw[], rowsMax = 10, rowCount = 2) {
  const asked: string[] = [];
  const ask = ([, , text = '']: readonly string[]): Promise<Buffer> => {
    asked.push(text);
    const rows = NAMES[text]?.map((name) => [[2, name]]) ?? Array.from({ length: rowCount }, () => cells);
    return Promise.resolve(Buffer.from(serialize([[[1, 'x']], rows, ['Cached execution: 1']])));
  };
  const command = { command: 'GRAPH.RO_QUERY', graph: 'g', text: 'RETURN 1', timeoutMs: 1_000 } as const;
  return { ...(await graphRows(ask, command, rowsMax)), asked };
}

async function values(...cells: Raw[]): Promise<unknown[]> {
  const { rows } = await answer(cells, 1);
  return JSON.parse(rows[0] ?? '') as unknown[];
}

const NODE: Raw = [7, [0, 1], [[0, 2, 'Ann']]];
const KNOWS: Raw = [3, 0, 7, 8, [[1, 3, 5]]];

describe('values of a compact reply as JSON', () => {
  it('are exact', async () => {
    const whole = [0, -1, 2 ** 52, 9_007_199_254_740_991n, 9_007_199_254_740_993n, -9_223_372_036_854_775_808n];
    expect(await values(...whole.map((one): Raw => [3, one]))).toEqual([
      0,
      -1,
      2 ** 52,
      9_007_199_254_740_991,
      '9007199254740993',
      '-9223372036854775808',
    ]);
    const floating = ['0.1', '1e+20', '-0', '5', 'inf', '-inf', '-nan'];
    expect(await values(...floating.map((one): Raw => [5, one]))).toEqual([
      0.1,
      1e20,
      0,
      5,
      'Infinity',
      '-Infinity',
      'NaN',
    ]);
  });

  it('are of every simple type', async () => {
    expect(await values([1, null], [2, 'a"\n🙂'], [4, 'true'], [4, 'false'], [16, 90])).toEqual([
      null,
      'a"\n🙂',
      true,
      false,
      { seconds: 90 },
    ]);
    expect(await values([13, 1_700_000_000], [14, 1_700_000_000], [15, 3_661], [14, 10 ** 15])).toEqual([
      '2023-11-14T22:13:20',
      '2023-11-14',
      '01:01:01',
      { seconds: 10 ** 15 },
    ]);
    expect(await values([11, ['1.5', '2']], [12, ['1', '0.5']], [99, ['?']])).toEqual([
      { latitude: 1.5, longitude: 2 },
      [1, 0.5],
      '(a value of a type that this server does not know: 99)',
    ]);
  });

  it('are lists and maps, whatever their keys are', async () => {
    const list: Raw = [
      6,
      [
        [3, 1],
        [6, []],
        [2, ''],
      ],
    ];
    const [first, map] = await values(list, [10, ['__proto__', [3, 1], 'a"', list]]);
    expect(first).toEqual([1, [], '']);
    expect(JSON.stringify(map)).toBe(JSON.stringify(JSON.parse('{"__proto__":1,"a\\"":[1,[],""]}')));
  });

  it('are nodes, relationships and paths, with the names that the same server gives', async () => {
    const node = { id: 7, labels: ['Person', 'Odd "label"'], properties: { name: 'Ann' } };
    const knows = { id: 3, type: 'KNOWS', source: 7, target: 8, properties: JSON.parse('{"__proto__":5}') as unknown };
    const cells: Raw[] = [
      [8, NODE],
      [7, KNOWS],
      [
        9,
        [
          [6, [[8, NODE]]],
          [6, [[7, KNOWS]]],
        ],
      ],
      [6, [[8, NODE]]],
    ];
    const { rows, asked, statistics } = await answer(cells);
    expect(rows).toHaveLength(2);
    expect(JSON.parse(rows[1] ?? '')).toEqual([node, knows, { nodes: [node], relationships: [knows] }, [node]]);
    expect(asked).toEqual(['RETURN 1', ...Object.keys(NAMES)]);
    expect(statistics).toEqual(['Cached execution: 1']);
  });

  it('have a number where a name was added meanwhile', async () => {
    expect(await values([8, [7, [5], []]])).toEqual([{ id: 7, labels: ['#5'], properties: {} }]);
  });

  it('are asked for no name that they do not need, and read no further than wanted', async () => {
    const { rows, asked, statistics } = await answer([[3, 1]], 1);
    expect([rows, asked, statistics]).toEqual([['[1]'], ['RETURN 1'], ['Cached execution: 1']]);
  });
});

describe('values that are too much', () => {
  it('lie too deep', async () => {
    const nested = (levels: number): Raw => Array.from({ length: levels }).reduce<Raw>((inner) => [6, [inner]], [3, 1]);
    expect(JSON.stringify(await values(nested(VALUE_DEPTH_MAX), [3, 2]))).toContain('1');
    const { rows, valuesCut } = await answer([nested(1_000), [3, 2]]);
    expect(rows[0]).toContain(`(left out: deeper than ${String(VALUE_DEPTH_MAX)} levels)`);
    expect(rows[0]).toMatch(/,2\]$/);
    expect(valuesCut).toBe(2);
  });

  it('are too long', async () => {
    const long = 'ä'.repeat(VALUE_BYTES_MAX);
    const [text] = await values([2, long]);
    expect(text).toBe(`${'ä'.repeat(VALUE_BYTES_MAX / 2)}… (cut; ${String(2 * VALUE_BYTES_MAX)} bytes in all)`);
  });

  it('are too many for their row', async () => {
    const many = Array.from({ length: 100_000 }, (_, at): Raw => [3, at]);
    const { rows, valuesCut } = await answer([
      [6, many],
      [2, 'after'],
      [10, ['key', [3, 1]]],
    ]);
    expect(rows[0]?.length).toBeLessThan(ROW_BYTES_MAX);
    const [list, after] = JSON.parse(rows[0] ?? '') as [unknown[], unknown];
    expect(list.at(-1)).toBe(`(left out: ${String(100_001 - list.length)} more of 100000)`);
    expect(after).toBe('(left out: there is no room for it in this row)');
    expect(valuesCut).toBeGreaterThanOrEqual(2 * 3);
    const entries = many.flatMap((cell, at): Raw[] => [`key${String(at)}`, cell]);
    expect((await answer([[10, entries]])).valuesCut).toBe(2);
  });

  it('have long names, which came as numbers', async () => {
    const node: Raw = [8, [7, [0], [[2, 3, 1]]]];
    const { rows, valuesCut, statistics } = await answer([[6, Array.from({ length: 1_000 }, () => node)]]);
    expect(rows[0]?.length).toBeLessThan(2 * ROW_BYTES_MAX);
    const [list] = JSON.parse(rows[0] ?? '') as [unknown[]];
    expect(list.at(-1)).toBe(`(left out: ${String(1_001 - list.length)} more of 1000)`);
    // In each row the others, and a property that found no room any more.
    expect([valuesCut, statistics]).toEqual([2 * 2, ['Cached execution: 1']]);
    const properties = Array.from({ length: 1_000 }, (): Raw => [2, 3, 1]);
    const wide = await answer([
      [8, [7, [0], properties]],
      [2, 'after'],
    ]);
    expect(wide.rows[0]?.length).toBeLessThan(2 * ROW_BYTES_MAX);
    expect(wide.valuesCut).toBe(2 * 3);
  });

  it('are too many for what is kept of a result', async () => {
    const { rows, statistics } = await answer([[2, 'x'.repeat(VALUE_BYTES_MAX)]], 10_000, 1_000);
    const bytes = rows.reduce((sum, row) => sum + row.length, 0);
    expect(bytes).toBeGreaterThan(RESULT_BYTES_MAX);
    expect(bytes).toBeLessThan(RESULT_BYTES_MAX + 2 * VALUE_BYTES_MAX);
    expect(statistics).toEqual(['Cached execution: 1']);
  });
});
