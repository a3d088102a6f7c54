import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Nexus3Error } from '../errors.js';
import { parseMany } from './many.js';

function mistakesOf(text: string): readonly string[] {
  try {
    return parseMany(text).mistakes;
  } catch (error) {
    if (error instanceof Nexus3Error) return error.evidence;
    throw error;
  }
}

describe('many values in one JSON object', () => {
  it('are read as they are, whatever they hold', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.option(fc.string()), { minKeys: 1 }), (object) => {
        const read = [...parseMany(JSON.stringify(object, null, 1)).values].map(([key, value]) => [
          key,
          value?.reveal() ?? null,
        ]);
        expect(read).toEqual(Object.entries(object));
      }),
    );
  });

  it('are refused where a key is there twice, however it is written', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string(), (key, value) => {
        const escaped = key.replaceAll(/[^]/g, (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`);
        const text = `{ ${JSON.stringify(key)}: ${JSON.stringify(value)}, "${escaped}" : null }`;
        expect(mistakesOf(text)).toHaveLength(1);
      }),
    );
    expect(mistakesOf('{"a": "a:{\\"a\\":", "b": null}')).toEqual([]);
    expect(mistakesOf('{"a": {"b": 1, "b": 2}}')).toEqual([
      '"a": a value is a string, or null to delete it, not an object',
    ]);
  });

  it('are never shown by an error, whatever was given', () => {
    const secret = 'hunter2-hunter2';
    const around = fc.string({ maxLength: 20 });
    fc.assert(
      fc.property(around, around, (before, after) => {
        for (const text of [`${before}${secret}${after}`, `{"k": ${before}"${secret}"${after}`, `["${secret}"]`]) {
          expect(mistakesOf(text).join()).not.toContain('hunter2');
        }
      }),
    );
  });

  it.each([
    ['', 'it is not JSON'],
    ['[]', 'it is a list'],
    ['null', 'it is null'],
    ['"x"', 'it is a string'],
    ['1', 'it is a number'],
    ['{}', 'the object is empty'],
    ['{"a": 1}', '"a": a value is a string, or null to delete it, not a number'],
    ['{"a": []}', '"a": a value is a string, or null to delete it, not a list'],
  ])('are not %s', (text, mistake) => {
    expect(mistakesOf(text)).toEqual([expect.stringContaining(mistake)]);
  });
});
