/** docs/cli-json.md is the contract: this holds it and the code together. */
import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { MIXED } from '../../test/support/reports.js';
import { ERROR_EXIT_CODES, EXIT } from '../errors.js';
import { COMMANDS } from './commands/index.js';
import { ERROR_SCHEMA } from './failure.js';

const text = await readFile(new URL('../../docs/cli-json.md', import.meta.url), 'utf8');

/** Cells of every table row, without their back quotes. */
const rows = text
  .split('\n')
  .filter((line) => line.startsWith('|'))
  .map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim().replaceAll('`', '')),
  );

describe('docs/cli-json.md', () => {
  it('lists every error code with its exit code, in the order of src/errors.ts', () => {
    const listed = rows.filter(([code = '']) => /^[A-Z_]{4,}$/.test(code)).map(([code, exit]) => [code, Number(exit)]);
    expect(listed).toEqual(Object.entries(ERROR_EXIT_CODES));
  });

  it('lists every exit code', () => {
    const listed = rows.filter(([code = '']) => /^\d+$/.test(code)).map(([code]) => Number(code));
    expect(listed).toEqual(Object.values(EXIT));
  });

  it('has a chapter for every schema', async () => {
    const specs = await Promise.all(COMMANDS.map(({ load }) => load()));
    const schemas = new Set([
      ERROR_SCHEMA,
      ...specs.map(({ schema }) => schema).filter((schema) => schema !== undefined),
    ]);
    const chapters = text.split('\n').filter((line) => line.startsWith('## '));
    expect(new Set(chapters.join('\n').match(/nexus3\.[a-z-]+\/\d+/g))).toEqual(schemas);
  });

  it('names every field of a report', () => {
    const documented = new Set(rows.map(([field = '']) => field.split('.').at(-1)?.replace('[]', '')));
    const [, , track] = MIXED.environments;
    const fields = [MIXED, track, track?.vault, track?.operational, track?.backup, track?.findings[0]].flatMap((part) =>
      Object.keys(part ?? {}),
    );
    expect(fields.filter((field) => !documented.has(field))).toEqual([]);
  });
});
