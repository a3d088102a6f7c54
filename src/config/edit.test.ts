import { mkdir, mkdtemp, readFile, rm, stat, symlink, writeFile, chmod, lstat, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Environment } from '../protocol/environment.js';
import { PROTOCOL_REGISTRY } from '../protocol/registry.js';
import { addEnvironment, removeEnvironment } from './edit.js';
import { writeNewConfigFile } from './init.js';
import { loadConfiguration } from './load.js';
import type { Surroundings } from './locate.js';

let root: string;
let here: Surroundings;
let file: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'nexus3-edit-'));
  await mkdir(join(root, 'work'));
  here = { cwd: join(root, 'work'), env: { HOME: root } };
  file = join(root, 'work', 'nexus3.yaml');
});
afterEach(() => rm(root, { recursive: true }));

const NEW: Environment = { name: 'new', kind: 'standard', vaultPort: 7500 };

async function add(text: string, environment = NEW): Promise<string> {
  await writeFile(file, text);
  const changed = await addEnvironment(await loadConfiguration({}, here), environment, here);
  expect(changed.environments).toContainEqual(expect.objectContaining(environment));
  expect(changed).toEqual(await loadConfiguration({}, here));
  return readFile(file, 'utf8');
}

async function remove(text: string, name: string): Promise<string> {
  await writeFile(file, text);
  const changed = await removeEnvironment(await loadConfiguration({}, here), name, here);
  expect(changed).toEqual(await loadConfiguration({}, here));
  return readFile(file, 'utf8');
}

const COMMENTED = `# mine
version: 1      # one

environments:   # ours
    # trackers
    track:   { vault: 6640 }     # the first
    web:
        vault: 6670
        # never change this
        kind: secure    # really

    # end of list
# and then
runtime: process
`;

describe('adding an environment', () => {
  it('adds one line after the last and leaves every other byte', async () => {
    expect(await add(COMMENTED)).toBe(COMMENTED.replace('# really\n', '# really\n    new: { vault: 7500 }\n'));
  });

  it.each([
    ['version: 1', 'version: 1\nenvironments:\n  new: { vault: 7500 }\n'],
    ['environments:', 'environments:\n  new: { vault: 7500 }\n'],
    ['environments: # none\nruntime: docker\n', 'environments: # none\n  new: { vault: 7500 }\nruntime: docker\n'],
    ['environments: {} # none\nbind: "::1"', 'environments: # none\n  new: { vault: 7500 }\nbind: "::1"'],
    ['environments: {}', 'environments:\n  new: { vault: 7500 }\n'],
    [
      'environments:\r\n  a: { vault: 7000 }\r\n',
      'environments:\r\n  a: { vault: 7000 }\r\n  new: { vault: 7500 }\r\n',
    ],
    ['environments:\n  a: { vault: 7000 }', 'environments:\n  a: { vault: 7000 }\n  new: { vault: 7500 }\n'],
    [
      'environments:\n  a: { vault: 7000,\n    kind: secure }\n  # last\n',
      'environments:\n  a: { vault: 7000,\n    kind: secure }\n  new: { vault: 7500 }\n  # last\n',
    ],
    [
      'environments: { a: { vault: 7000 } } # flow\n',
      'environments: { a: { vault: 7000 }, new: { vault: 7500 } } # flow\n',
    ],
    ['environments: ~\n', 'environments:\n  new: { vault: 7500 }\n'],
  ])('works in %j', async (before, after) => {
    expect(await add(before)).toBe(after);
  });

  it('writes a Secure Environment as one, and takes names that YAML reads otherwise', async () => {
    expect(await add('environments:', { name: 'null', kind: 'secure', vaultPort: 7500 })).toBe(
      'environments:\n  null: { vault: 7500, kind: secure }\n',
    );
  });

  it('leaves the file alone when it is there already, so that a killed create can be run again', async () => {
    const text = 'environments:\n  new:   {vault: 7500}\n';
    expect(await add(text)).toBe(text);
  });

  it('refuses another one of that name, and a port that is taken, and writes nothing', async () => {
    const text = 'environments:\n  new: { vault: 7400 }\n  old: { vault: 7600 }\n';
    await expect(add(text)).rejects.toMatchObject({ code: 'ENVIRONMENT_EXISTS' });
    await expect(add(text, { ...NEW, name: 'other', vaultPort: 7401 })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      evidence: ['nexus3.yaml:4: environments.other.vault: 7401 is the port of new/operational (line 2)'],
    });
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('refuses a file that it cannot edit without changing something else', async () => {
    const text = 'environments: &all\n  a: { vault: 7000 }\nx: 1\n';
    await expect(add(text)).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await readFile(file, 'utf8')).toBe(text);
  });

  it('keeps a symbolic link, the file’s mode, and leaves no other file', async () => {
    const real = join(root, 'real.yaml');
    await writeFile(real, 'environments:\n');
    await chmod(real, 0o600);
    await symlink(real, file);
    await addEnvironment(await loadConfiguration({}, here), NEW, here);
    expect((await lstat(file)).isSymbolicLink()).toBe(true);
    expect((await stat(real)).mode & 0o777).toBe(0o600);
    expect(await readFile(real, 'utf8')).toBe('environments:\n  new: { vault: 7500 }\n');
    expect((await readdir(root)).sort()).toEqual(['real.yaml', 'work']);
  });

  it('without a file writes one into the user’s configuration folder: the registry and the new one', async () => {
    const before = await loadConfiguration({ dataRoot: '/d', runtime: 'docker' }, here);
    const changed = await addEnvironment(before, NEW, here);
    expect(changed.file).toBe(join(root, '.config/nexus3/nexus3.yaml'));
    const loaded = await loadConfiguration({}, here);
    expect(loaded).toEqual(changed);
    expect(loaded.environments).toHaveLength(PROTOCOL_REGISTRY.length + 1);
    expect([loaded.runtime, loaded.dataRoot]).toEqual(['docker', '/d']);
  });
});

describe('removing an environment', () => {
  it('takes out its lines and leaves every other byte', async () => {
    expect(await remove(COMMENTED, 'track')).toBe(
      COMMENTED.replace('    track:   { vault: 6640 }     # the first\n', ''),
    );
    expect(await remove(COMMENTED, 'web')).toBe(COMMENTED.replace(/ {4}web:[^]*# really\n/, ''));
  });

  it.each([
    ['environments:\n  a: { vault: 7000 }\n# end', 'a', 'environments:\n# end'],
    ['environments: { a: { vault: 7000 }, b: { vault: 7010 } }\n', 'a', 'environments: { b: { vault: 7010 } }\n'],
    ['environments:\n  b: { vault: 7010 }\n', 'a', 'environments:\n  b: { vault: 7010 }\n'],
  ])('works in %j', async (before, name, after) => {
    expect(await remove(before, name)).toBe(after);
  });

  it('refuses to remove Locker, or an anchor that another environment needs', async () => {
    await expect(remove(COMMENTED, 'locker')).rejects.toMatchObject({ code: 'USAGE' });
    const shared =
      'environments:\n  a: { vault: 7000, settings: &s { threads: 2 } }\n  b: { vault: 7010, settings: *s }\n';
    await expect(remove(shared, 'a')).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    expect(await readFile(file, 'utf8')).toBe(shared);
  });

  it('without a file writes the registry less that one', async () => {
    const changed = await removeEnvironment(await loadConfiguration({}, here), 'track', here);
    expect(changed.environments).toHaveLength(PROTOCOL_REGISTRY.length - 1);
    expect(await loadConfiguration({}, here)).toEqual(changed);
  });
});

describe('a new file', () => {
  it.each([
    ['as it is', {}, 12, 'process'],
    ['empty, for docker', { empty: true, runtime: 'docker' as const }, 1, 'docker'],
  ])('%s holds what it says, and can be added to', async (_, options, count, runtime) => {
    expect(await writeNewConfigFile(options, here)).toBe(file);
    const loaded = await loadConfiguration({}, here);
    expect(loaded.environments).toHaveLength(count);
    expect(loaded.runtime).toBe(runtime);
    const text = await readFile(file, 'utf8');
    expect(text).toMatchSnapshot();
    await addEnvironment(loaded, NEW, here);
    expect(await readFile(file, 'utf8')).toBe(
      text.replace('environments: {}', 'environments:') + '  new: { vault: 7500 }\n',
    );
  });

  it('has every commented setting right once the comment sign is taken away', async () => {
    await writeNewConfigFile({ empty: true }, here);
    const text = await readFile(file, 'utf8');
    const uncommented = text.replace(/^# (\s*[a-zA-Z]+:(?: |$))/gm, '$1').replace(/^runtime: \w+$/m, 'runtime: docker');
    await writeFile(file, uncommented);
    const loaded = await loadConfiguration({}, here);
    expect(uncommented).not.toBe(text);
    expect(loaded.environments[0]?.settings).toMatchObject({ threads: 4, queryTimeoutMs: 1000, queryQueueMax: 25 });
    expect(loaded.engine).toBe('/usr/bin/redis-server');
  });

  it('is never written over another one', async () => {
    await writeFile(file, 'version: 1');
    await expect(writeNewConfigFile({}, here)).rejects.toMatchObject({ code: 'CONFIG_EXISTS' });
    expect(await readFile(file, 'utf8')).toBe('version: 1');
    expect(await readdir(here.cwd)).toEqual(['nexus3.yaml']);
  });
});
