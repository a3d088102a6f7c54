/**
 * Joins what `tsc` has put into dist/ to a few files, for the command only: loading its modules one by one takes
 * longer than most commands run (docs/performance.md). What a program imports stays as `tsc` made it. Until this has
 * ended, dist/cli/main.js is the one that `tsc` wrote, which works as well.
 */
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

const DIST = fileURLToPath(new URL('../dist', import.meta.url));
/** As deep as dist/cli, because the command finds package.json from where it is. */
const CHUNKS = 'chunks';
const MODE = 0o755;

const bundle = await rolldown({
  input: { 'cli/main': join(DIST, 'cli', 'main.js') },
  platform: 'node',
  // It finds its own parts in a way that cannot be followed; one command needs it, and loads it by itself.
  external: ['jsonc-parser'],
  logLevel: 'warn',
});
const { output } = await bundle.generate({
  format: 'esm',
  entryFileNames: '[name].js',
  chunkFileNames: `${CHUNKS}/[name]-[hash].js`,
});
await bundle.close();

await mkdir(join(DIST, CHUNKS), { recursive: true });
// The entry last: what it imports is there before it is.
for (const file of output.toSorted((a, b) => Number(a.isEntry) - Number(b.isEntry))) {
  await writeWhole(join(DIST, file.fileName), file.code);
}
const made = new Set(output.map(({ fileName }) => fileName));
for (const name of await readdir(join(DIST, CHUNKS))) {
  if (!made.has(`${CHUNKS}/${name}`)) await rm(join(DIST, CHUNKS, name));
}

/**
 * @param {string} path
 * @param {string} code
 */
async function writeWhole(path, code) {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  await writeFile(temporary, code, { mode: MODE });
  await rename(temporary, path);
}
