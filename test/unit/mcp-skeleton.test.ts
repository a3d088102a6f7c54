/** The example is built with the very means that `mcp new` hands out: the same skeleton, and tools of its own. */
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { fillTemplate } from '../../src/mcp/new/template.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SKELETON = [
  'tsconfig.json',
  'src/cursor.ts',
  'src/environment.ts',
  'src/failure.ts',
  'src/schema-steps.ts',
  'src/server.ts',
  'src/store.ts',
  'src/text.ts',
  'src/tool.ts',
  'test/client.ts',
];

interface Manifest {
  readonly description: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
const manifestIn = async (folder: string): Promise<Manifest> =>
  JSON.parse(await readFile(`${folder}/package.json`, 'utf8')) as Manifest;

describe('examples/project-tracker', () => {
  it('stands on the skeleton that `mcp new` writes, word for word', async () => {
    const { dependencies, devDependencies } = await manifestIn(ROOT);
    const written = await fillTemplate(`${ROOT}/templates/mcp-server`, {
      name: 'project-tracker',
      environment: 'track',
      routes: '',
      config: '',
      nexus3: '../..',
      client: '',
      versions: { ...devDependencies, ...dependencies },
    });
    const example = `${ROOT}/examples/project-tracker`;
    for (const name of SKELETON) expect(await readFile(`${example}/${name}`, 'utf8'), name).toBe(written.get(name));
    const { description } = await manifestIn(example);
    const expected = JSON.parse(written.get('package.json') ?? '') as Manifest;
    expect(await manifestIn(example)).toEqual({ ...expected, description });
  });
});
