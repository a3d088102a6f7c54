import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { Particulars } from './template.js';
import { fill, fillTemplate } from './template.js';

const TEMPLATE = fileURLToPath(new URL('../../../templates/mcp-server', import.meta.url));
const AWKWARD = `/home/o'neill/"my" $& server\\s/n`;

const particulars: Particulars = {
  name: 'notes',
  environment: 'track',
  routes: 'it writes and reads.',
  config: AWKWARD,
  nexus3: AWKWARD,
  client: '{}',
  versions: {
    '@modelcontextprotocol/server': '2.4.0',
    '@modelcontextprotocol/client': '2.4.0',
    '@types/node': '20.0.0',
    typescript: '6.0.3',
    zod: '4.6.7',
  },
};

describe('the template of an MCP server', () => {
  it('is filled everywhere, whatever characters a path has', async () => {
    const files = await fillTemplate(TEMPLATE, particulars);
    expect([...files.keys()]).toEqual(
      expect.arrayContaining(['.gitignore', 'README.md', 'package.json', 'src/server.ts', 'test/server.test.ts']),
    );
    expect([...files].filter(([, text]) => text.includes('{{')).map(([name]) => name)).toEqual([]);
    const manifest = JSON.parse(files.get('package.json') ?? '') as { dependencies: Record<string, string> };
    expect(manifest.dependencies).toEqual({
      '@modelcontextprotocol/server': '2.4.0',
      nexus3: `file:${AWKWARD}`,
      zod: '4.6.7',
    });
    const literal = /CONFIG_FILE = ('(?:[^'\\]|\\.)*');/.exec(files.get('src/environment.ts') ?? '')?.[1] ?? '';
    expect(JSON.parse(`"${literal.slice(1, -1).replaceAll(`\\'`, `'`).replaceAll('"', '\\"')}"`)).toBe(AWKWARD);
    expect(files.get('README.md')).toContain(AWKWARD);
  });

  it('cannot ask for what there is not', () => {
    expect(() => fill('a.md', '{{nothing}}', particulars)).toThrow('nothing');
    expect(() => fill('a.md', '{{version:nothing}}', particulars)).toThrow('nothing');
  });
});
