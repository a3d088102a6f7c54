import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { answerJson, answerValue, JsonList, jsonListField } from './json-list.js';

const ROWS = new JsonList(['[1,"ä\\n"]', '[2,null]']);

describe('an answer with lists of JSON', () => {
  it('puts them in as they are, each member in its place', () => {
    const json = answerJson({ a: 'x"y', rows: ROWS, left: undefined, cut: ['z'], none: new JsonList([]) });
    expect(json).toBe('{"a":"x\\"y","rows":[[1,"ä\\n"],[2,null]],"cut":["z"],"none":[]}');
  });

  it('says the same as text and as values', () => {
    const output = { a: 1, rows: ROWS, left: undefined };
    expect(JSON.parse(answerJson(output))).toEqual({
      a: 1,
      rows: [
        [1, 'ä\n'],
        [2, null],
      ],
    });
    expect(JSON.stringify(answerValue(output))).toBe(answerJson(output));
  });

  it('leaves an answer without one alone', () => {
    const output = { a: { b: [1] }, left: undefined };
    expect(answerValue(output)).toBe(output);
    expect(answerJson(output)).toBe('{"a":{"b":[1]}}');
  });
});

describe('the field of such a list', () => {
  const schema = z.object({
    rows: jsonListField({ items: { type: 'array', items: {} }, isItem: Array.isArray }).describe('Rows.'),
  });

  it('is told to clients as a list', () => {
    expect(z.toJSONSchema(schema, { io: 'output' }).properties).toEqual({
      rows: { type: 'array', items: { type: 'array', items: {} }, description: 'Rows.' },
    });
  });

  it('checks what a client gets', () => {
    expect(schema.safeParse(answerValue({ rows: ROWS })).success).toBe(true);
    expect(schema.safeParse({ rows: [[1], 2] }).success).toBe(false);
    expect(schema.safeParse({ rows: 'no list' }).success).toBe(false);
  });
});
