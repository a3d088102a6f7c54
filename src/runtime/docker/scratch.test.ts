/** What only Docker has of a scratch server; what every runtime must do is in ../scratch.conformance.ts. */
import { chown, mkdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { dockerJson } from '../../../test/support/docker-api.js';
import { FALKORDB_IMAGE } from '../../../test/support/docker-images.js';
import type { DockerSpecs } from '../../../test/support/docker-specs.js';
import { dockerSpecs } from '../../../test/support/docker-specs.js';
import { describeOnDocker, dockerEnvironment, sharedSocket } from '../../../test/support/docker-tests.js';
import { failureOf } from '../../../test/support/failure.js';
import type { ScratchSpec } from '../runtime.js';
import { SCRATCH_FILE } from '../runtime.js';
import { INSTANCE_LABEL } from './definition.js';
import { DockerRuntime } from './docker-runtime.js';
import { SCRATCH_DIR, SCRATCH_LABEL } from './scratch.js';

interface Inspected {
  readonly State: { readonly Status: string };
  readonly Config: { readonly User: string; readonly Labels: Record<string, string>; readonly Env: readonly string[] };
  readonly HostConfig: Record<string, unknown>;
  readonly Mounts: readonly { readonly Type: string; readonly Source: string; readonly Destination: string }[];
  readonly NetworkSettings: {
    readonly Ports: object;
    readonly Networks: Record<string, { readonly IPAddress: string }>;
  };
}

describeOnDocker('a scratch container', () => {
  let socket: string;
  let specs: DockerSpecs;
  let runtime: DockerRuntime;
  let count = 0;

  beforeAll(async () => {
    socket = sharedSocket();
    specs = await dockerSpecs(socket);
    runtime = new DockerRuntime({ network: specs.network, environment: dockerEnvironment() });
    await runtime.ready();
  });

  afterAll(async () => {
    await runtime.close();
    await specs.discard();
  });

  /** Its start script does this. */
  async function spec(start: string, image = FALKORDB_IMAGE): Promise<ScratchSpec> {
    count += 1;
    const dir = join(specs.dataRoot, `scratch-${String(count)}`);
    await mkdir(dir, { mode: 0o700 });
    await writeFile(join(dir, SCRATCH_FILE.start), start, { mode: 0o644 });
    const owner = runtime.newFolderOwner();
    if (owner !== undefined) await chown(dir, owner.uid, owner.gid);
    return { name: `${specs.network}-scratch-${String(count)}`, dir, image };
  }

  const inspect = async ({ name }: ScratchSpec): Promise<Inspected> =>
    (await dockerJson(socket, 'GET', `/containers/${name}/json`)) as Inspected;

  it('has no network, no port, no capability, and nothing to write to but its folder', async () => {
    const one = await spec('sleep 600');
    await using scratch = await runtime.startScratch(one);
    const seen = await inspect(one);
    const { uid, gid } = await stat(one.dir);
    expect(seen.Config.User).toBe(`${String(uid)}:${String(gid)}`);
    expect(seen.HostConfig).toMatchObject({
      NetworkMode: 'none',
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
      ReadonlyRootfs: true,
      RestartPolicy: { Name: expect.stringMatching(/^(no)?$/) as string },
    });
    expect(seen.NetworkSettings.Ports).toEqual({});
    expect(Object.values(seen.NetworkSettings.Networks).map(({ IPAddress }) => IPAddress)).toEqual(['']);
    expect(seen.Mounts.filter(({ Type }) => Type === 'bind')).toMatchObject([
      { Source: one.dir, Destination: SCRATCH_DIR },
    ]);
    expect(await scratch.exitCode()).toBeUndefined();
  });

  it('is known as one, and taken for no instance', async () => {
    const one = await spec('sleep 600');
    await using _scratch = await runtime.startScratch(one);
    const { Labels } = (await inspect(one)).Config;
    expect(Labels[SCRATCH_LABEL]).toBe(one.name);
    expect(Labels[INSTANCE_LABEL]).toBeUndefined();
  });

  it('is not made in the place of a stranger, and not of an image that there is not', async () => {
    const one = await spec('sleep 600');
    await dockerJson(socket, 'POST', `/containers/create?name=${one.name}`, { Image: FALKORDB_IMAGE });
    try {
      expect((await failureOf(runtime.startScratch(one))).code).toBe('FOREIGN_INSTANCE');
      expect((await inspect(one)).State.Status).toBe('created');
    } finally {
      await dockerJson(socket, 'DELETE', `/containers/${one.name}?force=1&v=1`);
    }
    const other = await spec('sleep 600', 'localhost:1/no-such-image:1');
    expect((await failureOf(runtime.startScratch(other))).code).toBe('IMAGE_MISSING');
  });

  it('that is taken away counts as killed', async () => {
    const one = await spec('sleep 600');
    await using scratch = await runtime.startScratch(one);
    await dockerJson(socket, 'DELETE', `/containers/${one.name}?force=1&v=1`);
    expect(await scratch.exitCode()).toBe(137);
    expect(await scratch.logs(10)).toEqual([]);
  });
});
