/**
 * Stand-ins for the `falkordb/falkordb` image, because tests must not depend on a registry: a Debian 13 root file system
 * as small as it can be, with Redis and the FalkorDB module from the npm package. Debian packages come from wherever this
 * machine's own apt gets them, into a private apt state: nothing on the system changes and root is not needed.
 */
import { createHash } from 'node:crypto';
import { copyFile, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { ImageRecipe } from './docker-archive.js';
import { writeImageArchive } from './docker-archive.js';
import { fetchDebianPackages } from './debian-packages.js';
import { run } from './run.js';

/** Behaves like the real image where it matters; see RUN_SH. */
export const FALKORDB_IMAGE = 'falkordb/falkordb:latest';
/** The same Redis without the graph module and without redis-cli. */
export const NO_MODULE_IMAGE = 'nexus3-test/no-module:latest';
/** Debian 12's Redis 7.0.15 in place of 8.2. */
export const OLD_REDIS_IMAGE = 'nexus3-test/redis-7.0:latest';

/** A shell, what the start and health scripts call, and the libraries of Redis and the module. */
const BASE_PACKAGES =
  `base-files dash bash coreutils sed grep libc6 libgcc-s1 libstdc++6 libssl3t64 libgomp1 libsystemd0 libcap2 libtinfo6
   libacl1 libattr1 libgmp10 libpcre2-8-0 libselinux1 libzstd1 zlib1g libatomic1 libjemalloc2 liblzf1`.split(/\s+/);
const CLI_PACKAGES = ['redis-tools'];
/** On Debian 12 the server is in redis-tools, under the name of its checker. */
const OLD_REDIS_PACKAGES = ['redis-tools'];

const UNPACK_TIMEOUT_MS = 30_000;
const FALKORDB_HOME = 'var/lib/falkordb';

/**
 * What matters of the real entrypoint: it ignores its arguments and runs Redis from REDIS_ARGS (split at white space)
 * with protected mode off.
 */
const RUN_SH = `#!/bin/bash
exec redis-server $REDIS_ARGS --protected-mode no --dir "$FALKORDB_DATA_PATH" \\
  --loadmodule /${FALKORDB_HOME}/bin/falkordb.so $FALKORDB_ARGS
`;

const CONFIG = {
  Env: [
    'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    `FALKORDB_DATA_PATH=/${FALKORDB_HOME}/data`,
    'FALKORDB_ARGS=MAX_QUEUED_QUERIES 25 TIMEOUT 1000 RESULTSET_SIZE 10000',
  ],
  Entrypoint: [`/${FALKORDB_HOME}/bin/run.sh`],
  ExposedPorts: { '6379/tcp': {} },
  WorkingDir: `/${FALKORDB_HOME}`,
};

const IMAGES: readonly ImageRecipe[] = [
  { tag: FALKORDB_IMAGE, layers: ['base', 'redis', 'falkordb'], config: CONFIG },
  {
    tag: NO_MODULE_IMAGE,
    layers: ['base', 'redis'],
    config: { ...CONFIG, Entrypoint: ['redis-server'], WorkingDir: '/' },
  },
  { tag: OLD_REDIS_IMAGE, layers: ['base', 'redis-7.0', 'falkordb'], config: CONFIG },
];

/**
 * The `docker load` archive of all stand-ins, from the cache folder when it is there (about 8 s when it is not).
 * @param note is told what takes time
 */
export async function imageArchive(cacheDir: string, note: (text: string) => void): Promise<string> {
  const engineDir = dirname(createRequire(import.meta.url).resolve('@falkordblite/linux-x64/package.json'));
  const archive = join(cacheDir, `docker-images-${await cacheKey(engineDir)}.tar`);
  if (await isThere(archive)) return archive;
  note('building the stand-in images (once; about 10 s)');
  await mkdir(cacheDir, { recursive: true });
  const scratch = await mkdtemp(join(cacheDir, 'docker-images-'));
  try {
    await makeLayers(engineDir, scratch);
    const unfinished = join(scratch, 'archive.tar');
    await writeImageArchive(IMAGES, join(scratch, 'layers'), scratch, unfinished);
    await rename(unfinished, archive);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
  return archive;
}

/** To be raised when makeLayers or docker-archive.ts changes what it makes of the same recipe. */
const RECIPE_VERSION = 1;

/** A new engine or a new recipe is a new archive. */
async function cacheKey(engineDir: string): Promise<string> {
  const recipe = { RECIPE_VERSION, IMAGES, BASE_PACKAGES, CLI_PACKAGES, OLD_REDIS_PACKAGES, RUN_SH };
  const hash = createHash('sha256').update(JSON.stringify(recipe));
  return hash
    .update(await readFile(join(engineDir, 'package.json')))
    .digest('hex')
    .slice(0, 16);
}

async function makeLayers(engineDir: string, scratch: string): Promise<void> {
  const debs = await fetchDebianPackages(scratch, [
    { suite: 'trixie', packages: [...BASE_PACKAGES, ...CLI_PACKAGES] },
    { suite: 'bookworm', packages: OLD_REDIS_PACKAGES },
  ]);
  const layer = (...path: string[]): string => join(scratch, 'layers', ...path);

  for (const name of BASE_PACKAGES) await unpack(debs, 'trixie', name, layer('base'));
  await addBasics(layer('base'));
  await makeFolders([layer('redis/usr/local/bin'), layer('redis-7.0/usr/local/bin')]);
  await copyFile(join(engineDir, 'bin/redis-server'), layer('redis/usr/local/bin/redis-server'));
  await unpack(debs, 'bookworm', 'redis-tools', join(scratch, 'old'));
  await copyFile(join(scratch, 'old/usr/bin/redis-check-rdb'), layer('redis-7.0/usr/local/bin/redis-server'));

  for (const name of CLI_PACKAGES) await unpack(debs, 'trixie', name, layer('falkordb'));
  await makeFolders([layer('falkordb', FALKORDB_HOME, 'bin'), layer('falkordb', FALKORDB_HOME, 'data')]);
  await copyFile(join(engineDir, 'bin/falkordb.so'), layer('falkordb', FALKORDB_HOME, 'bin/falkordb.so'));
  await writeFile(layer('falkordb', FALKORDB_HOME, 'bin/run.sh'), RUN_SH, { mode: 0o755 });
  for (const name of ['base', 'falkordb']) await rm(layer(name, 'usr/share'), { recursive: true, force: true });
}

/** What maintainer scripts would have made. */
async function addBasics(base: string): Promise<void> {
  await writeFile(join(base, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/bash\n');
  await writeFile(join(base, 'etc/group'), 'root:x:0:\n');
  if (!(await isThere(join(base, 'usr/bin/sh')))) await symlink('dash', join(base, 'usr/bin/sh'));
}

/** Package files are `NAME_VERSION_ARCH.deb`, in a folder for each suite. */
async function unpack(debs: string, suite: string, name: string, into: string): Promise<void> {
  const folder = join(debs, suite);
  const file = (await readdir(folder)).find((entry) => entry.startsWith(`${name}_`));
  if (file === undefined) throw new Error(`apt did not bring ${name} of ${suite}`);
  await makeFolders([into]);
  await run('dpkg', ['-x', join(folder, file), into], { timeoutMs: UNPACK_TIMEOUT_MS });
}

async function makeFolders(paths: readonly string[]): Promise<void> {
  for (const path of paths) await mkdir(path, { recursive: true });
}

async function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
