/** docs/findings.md: its head is written by hand, its table is made from the rules. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import type { FindingCode } from '../finding.js';
import { RULES } from './index.js';

const PAGE = fileURLToPath(new URL('../../../docs/findings.md', import.meta.url));
const END_OF_HEAD = /^[^]*?<!-- Below this line: .*-->\n/;

/** Local servers have no network, image or mounts of their own, are never a stranger's, and nothing restarts them. */
const DOCKER_ONLY: ReadonlySet<FindingCode> = new Set<FindingCode>([
  'foreign-instance',
  'instance-crash-looping',
  'network-missing',
  'network-detached',
  'mount-mismatch',
  'image-unpinned',
]);

function table(): string {
  const rows = RULES.map(({ code, severity, means, repairs }) => {
    const runtimes = DOCKER_ONLY.has(code) ? 'docker' : 'both';
    return `| \`${code}\` | ${severity} | ${runtimes} | ${means} | ${repairs} |`;
  });
  return [
    '| code | severity | runtime | means | repaired by `--fix` |',
    '| --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

describe('docs/findings.md', () => {
  it('says of every finding what its rule says', async () => {
    const head = END_OF_HEAD.exec(await readFile(PAGE, 'utf8'))?.[0];
    if (head === undefined) throw new Error('the page has lost the line between head and table');
    const text = `${head}\n## All findings\n\n${table()}\n`;
    await expect(await format(text, { ...(await resolveConfig(PAGE)), parser: 'markdown' })).toMatchFileSnapshot(PAGE);
  });
});
