/**
 * Writes a `docker load` archive (manifest.json, a configuration for each image, layers as tars) from plain folders, so
 * that images can be made without pulling a base and without a build. Layers are shared between images.
 *
 * Format: Docker image specification v1.2, "Combined Image JSON + Filesystem Changeset Format".
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { run } from './run.js';

const TAR_TIMEOUT_MS = 120_000;

export interface ImageRecipe {
  readonly tag: string;
  /** Names of layer folders, lowest first. */
  readonly layers: readonly string[];
  readonly config: Readonly<Record<string, unknown>>;
}

/**
 * @param layerRoot holds one folder a layer name
 * @param scratch an existing folder for the parts
 */
export async function writeImageArchive(
  images: readonly ImageRecipe[],
  layerRoot: string,
  scratch: string,
  archive: string,
): Promise<void> {
  const parts = join(scratch, 'parts');
  await mkdir(parts);
  const diffIds = new Map<string, string>();
  for (const name of new Set(images.flatMap(({ layers }) => layers))) {
    const file = join(parts, `${name}.tar`);
    await run('tar', [...REPRODUCIBLE_TAR, '-cf', file, '-C', join(layerRoot, name), '.'], {
      timeoutMs: TAR_TIMEOUT_MS,
    });
    diffIds.set(name, `sha256:${await sha256Of(file)}`);
  }
  const manifest = [];
  for (const { tag, layers, config } of images) {
    const rootfs = { type: 'layers', diff_ids: layers.map((name) => diffIds.get(name)) };
    const text = JSON.stringify({ architecture: 'amd64', os: 'linux', created: EPOCH, config, rootfs });
    const configFile = `${createHash('sha256').update(text).digest('hex')}.json`;
    await writeFile(join(parts, configFile), text);
    manifest.push({ Config: configFile, RepoTags: [tag], Layers: layers.map((name) => `${name}.tar`) });
  }
  await writeFile(join(parts, 'manifest.json'), JSON.stringify(manifest));
  await run('tar', [...REPRODUCIBLE_TAR, '-cf', archive, '-C', parts, '.'], { timeoutMs: TAR_TIMEOUT_MS });
}

const EPOCH = '1970-01-01T00:00:00Z';
/** The same folders give the same bytes, and so the same image id. */
const REPRODUCIBLE_TAR = ['--sort=name', '--owner=0', '--group=0', '--numeric-owner', '--mtime=@0', '--format=gnu'];

async function sha256Of(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
