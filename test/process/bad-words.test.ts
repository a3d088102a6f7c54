/** What people type and write into nexus3.yaml: nothing of it starts, changes or breaks anything. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from '../support/cli-run.js';
import type { Ran } from '../support/refusal.js';
import { refused } from '../support/refusal.js';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-words-'));
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

/** Without an engine and without a root key: a mistake must be told before either is looked for. */
async function run(...args: readonly string[]): Promise<Ran> {
  const env = { HOME: folder, PATH: '/nonexistent', NEXUS3_ENGINE_HOME: join(folder, 'no-engine') };
  const { exitCode, stdout, stderr } = await runCli(args, { cwd: folder, env });
  return { code: exitCode, out: stdout, err: stderr };
}

const BAD_NAMES: readonly (readonly [string, string])[] = [
  ['that climbs out of the data root', '../x'],
  ['with a space', 'a b'],
  ['that a shell would run', '$(id)'],
  ['of 300 characters', 'x'.repeat(300)],
  ['in upper case', 'Track'],
  ['that is empty', ''],
  ['with a line break and a terminal’s escape', 'a\n\u001b[2Jb'],
  ['that looks like an object’s own', '__proto__'],
  ['of 32 characters, one too many', 'x'.repeat(32)],
];

describe('a name', () => {
  it.each(BAD_NAMES)('%s cannot be created', async (_, name) => {
    const { message } = await refused(run, ['create', name], 'NAME_INVALID');
    expect(message.length).toBeLessThan(200);
    // eslint-disable-next-line no-control-regex
    expect(message).not.toMatch(/[\u0000-\u001f]/);
  });

  it.each(BAD_NAMES)('%s is unknown to every other command', async (_, name) => {
    for (const words of [['up'], ['check'], ['status'], ['down'], ['recover'], ['remove'], ['credentials', 'get']]) {
      const { message, evidence } = await refused(run, [...words, name], 'ENVIRONMENT_UNKNOWN');
      expect(message.length).toBeLessThan(200);
      expect(evidence.join()).toContain('track');
    }
  });

  it('is not asked about before it is known to be one: --yes changes nothing of that', async () => {
    await refused(run, ['recover', 'nowhere', '--yes'], 'ENVIRONMENT_UNKNOWN');
    await refused(run, ['recover', 'nowhere', '--vault', '--yes'], 'ENVIRONMENT_UNKNOWN');
    await refused(run, ['remove', 'nowhere', '--yes', '--delete-data'], 'ENVIRONMENT_UNKNOWN');
  });

  it('that begins with a dash is an option, and an unknown one', async () => {
    for (const words of [['create'], ['up'], ['check'], ['recover'], ['remove'], ['credentials', 'get']]) {
      await refused(run, [...words, '-x'], 'USAGE');
    }
    await refused(run, ['create', '--', '-x'], 'NAME_INVALID');
  });
});

describe('a port', () => {
  it.each(['0', '80', '1023', '65535', '65536', '99999', '-1', '6640.5', '0x1a00', 'abc', '', '1e4', ' 6650'])(
    '«%s» is out of range or no number, and nothing is written',
    async (port) => {
      await refused(run, ['create', 'notes', `--vault-port=${port}`], 'PORT_INVALID');
      await expect(readFile(join(folder, '.config/nexus3/nexus3.yaml'))).rejects.toThrow('ENOENT');
    },
  );
});

/** Each with what the message must tell of it. */
const BAD_FILES: readonly (readonly [string, string | Buffer, RegExp])[] = [
  ['empty', '', /is empty/],
  ['nothing but a comment', '# soon\n', /is empty/],
  ['broken', 'version: 1\nenvironments:\n  track: { vault: 6640\n  web: [', /nexus3\.yaml:[34]/],
  ['indented with tabs', 'version: 1\nenvironments:\n\ttrack: { vault: 6640 }\n', /nexus3\.yaml:3/],
  ['a list', '- track\n- web\n', /is not a map/],
  ['one word', 'track\n', /is not a map/],
  [
    'holding a key twice',
    'version: 1\nenvironments:\n  track: { vault: 6640 }\n  web: { vault: 6670 }\n  track: { vault: 6650 }\n',
    /nexus3\.yaml:5: environments\.track: is written twice; the first is on line 3/,
  ],
  ['two documents', 'version: 1\n---\nversion: 1\n', /second document/],
  ['of another version', 'version: 2\n', /not a version/],
  ['binary', Buffer.from([0x7f, 0x45, 0x4c, 0x46, 0xff, 0xfe, 0x00, 0x01]), /not UTF-8/],
  ['full of NUL', Buffer.alloc(2_000), /nexus3\.yaml/],
  ['an alias bomb', aliasBomb(), /holds too much|aliases/],
  ['nested a thousand deep', `a: ${'['.repeat(1_000)}${']'.repeat(1_000)}\n`, /nested too deeply/],
  ['several megabytes of environments', manyEnvironments(120_000), /larger than 512 KiB/],
  ['more environments than one host has', manyEnvironments(5_000), /environments/],
  ['one endless line', `version: 1\nimage: ${'x'.repeat(500_000)}\n`, /is not an image reference/],
  ['holding what nobody knows', 'version: 1\nenviroments: {}\n', /enviroments.*environments/],
];

function aliasBomb(): string {
  const levels = Array.from({ length: 9 }, (_, level) => {
    const below = level === 0 ? 'x' : `*l${String(level - 1)}`;
    return `l${String(level)}: &l${String(level)} [${Array.from({ length: 9 }, () => below).join(', ')}]`;
  });
  return `${levels.join('\n')}\nenvironments: *l8\n`;
}

function manyEnvironments(count: number): string {
  const lines = Array.from({ length: count }, (_, index) => `  e${String(index)}: { vault: 6640 }`);
  return `version: 1\nenvironments:\n${lines.join('\n')}\n`;
}

describe('a nexus3.yaml that is', () => {
  it.each(BAD_FILES)('%s is refused with the place of the mistake, and left as it was', async (_, content, says) => {
    const file = join(folder, 'nexus3.yaml');
    await writeFile(file, content);
    for (const words of [['check'], ['up'], ['create', 'notes'], ['remove', 'track', '--yes']]) {
      const { message, evidence } = await refused(run, words, 'CONFIG_INVALID');
      expect([message, ...evidence].join('\n')).toMatch(says);
      expect(evidence.length, 'a message that can be read').toBeLessThan(60);
      expect(evidence.join('\n').length).toBeLessThan(20_000);
    }
    expect((await readFile(file)).equals(Buffer.from(content)), 'the file is as it was').toBe(true);
    await rm(file);
  });

  it('a folder is refused', async () => {
    await mkdir(join(folder, 'nexus3.yaml'));
    await refused(run, ['check'], 'CONFIG_INVALID');
    await rm(join(folder, 'nexus3.yaml'), { recursive: true });
  });

  it('a device that never ends is refused', async () => {
    await refused(run, ['--config', '/dev/zero', 'check'], 'CONFIG_INVALID');
  });

  it('not there is refused when it was named', async () => {
    await refused(run, ['--config', 'other.yaml', 'check'], 'CONFIG_NOT_FOUND');
  });

  it('full of mistakes is told all of them at once, each with its line', async () => {
    const file = join(folder, 'nexus3.yaml');
    await writeFile(
      file,
      [
        'version: 1',
        'runtime: dokcer',
        'bind: everywhere',
        'environments:',
        '  ../x: { vault: 6640 }',
        '  a b: { vault: 6650 }',
        '  low: { vault: 80 }',
        '  high: { vault: 65535 }',
        '  one: { vault: 6700 }',
        '  two: { vault: 6701 }',
        '  three: { vault: 6719 }',
        '  none: {}',
      ].join('\n'),
    );
    const { evidence } = await refused(run, ['check'], 'CONFIG_INVALID');
    const lines = evidence.map((line) => Number(/^nexus3\.yaml:(\d+)/.exec(line)?.[1]));
    expect([...new Set(lines)]).toEqual([2, 3, 5, 6, 7, 8, 10, 11, 12]);
    const clash = evidence.find((line) => line.startsWith('nexus3.yaml:10'));
    expect(clash).toContain('6701 is the port of one/operational (line 9)');
    await rm(file);
  });
});
