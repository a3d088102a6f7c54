import { expect, it } from 'vitest';
import type { Integers } from './graph-lanes.js';
import { graphRows } from './graph-read.js';
import type { Raw } from './graph-reply.js';

/** As the driver reads the digits of an integer: one after the other. */
function asNumber(digits: string): number {
  return Buffer.from(digits).reduce((sum, code) => sum * 10 + code - 48, 0);
}

/** A server that answers one integer, however it is asked. */
async function ask(digits: string, command: 'GRAPH.QUERY' | 'GRAPH.RO_QUERY') {
  const asked: (Integers | undefined)[] = [];
  const read = (_: readonly string[], integers?: Integers): Promise<Raw> => {
    asked.push(integers);
    const cell: Raw = integers === 'quick' ? [3, asNumber(digits)] : ['3', digits];
    return Promise.resolve([[['1', 'x']], [[cell]], []]);
  };
  const { rows } = await graphRows(read, { command, graph: 'g', text: 'RETURN 1', timeoutMs: 1_000 }, 10);
  return { value: rows[0]?.[0], asked };
}

it('reads small integers as numbers, at once', async () => {
  expect(await ask('4503599627370495', 'GRAPH.RO_QUERY')).toEqual({ value: 4_503_599_627_370_495, asked: ['quick'] });
});

it('reads large integers exactly, wherever arithmetic would be off', async () => {
  for (const digits of ['9007199254740951', '9007199254740991', '9007199254740993', '9223372036854775807']) {
    const { value, asked } = await ask(digits, 'GRAPH.RO_QUERY');
    expect(String(value)).toBe(digits);
    expect(asked).toEqual(['quick', 'exact']);
  }
});

it('never sends a write twice', async () => {
  const { value, asked } = await ask('9007199254740993', 'GRAPH.QUERY');
  expect([value, asked]).toEqual(['9007199254740993', ['exact']]);
});
