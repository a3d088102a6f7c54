import fc from 'fast-check';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { configurationOf, placementOf, TRACK } from '../../test/support/facts.js';
import { TEST_CREDENTIALS } from '../../test/support/redis-server.js';
import type { Role } from '../protocol/environment.js';
import type { InstanceSpec } from '../runtime/runtime.js';
import type { RenderedFile } from './desired.js';
import { renderFiles, specOf } from './desired.js';
import { directivesThatDiffer, readFolders, readVaultFolder } from './folder.js';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'nexus3-folder-'));
});
afterEach(() => rmSync(root, { recursive: true }));

const INC = 'a'.repeat(32);

/** Written as nexus3 would. */
function rendered(role: Role, options = {}): { spec: InstanceSpec; files: readonly RenderedFile[] } {
  const spec = specOf(configurationOf(root), TRACK, role);
  const files = renderFiles(TRACK, role, placementOf(spec, TRACK.vaultPort), TEST_CREDENTIALS);
  mkdirSync(spec.configDir, { recursive: true });
  mkdirSync(spec.dataDir, { recursive: true });
  const written = renderFiles(TRACK, role, placementOf(spec, TRACK.vaultPort), TEST_CREDENTIALS, options);
  for (const { name, content, mode } of written) writeFileSync(join(spec.configDir, name), content, { mode });
  return { spec, files };
}

function writeAof(dataDir: string, seq: number, bytes: number): void {
  const folder = join(dataDir, 'appendonlydir');
  mkdirSync(folder, { recursive: true });
  const [base, incremental] = ['appendonly.aof.1.base.rdb', `appendonly.aof.${String(seq)}.incr.aof`];
  writeFileSync(join(folder, base), 'REDIS');
  writeFileSync(join(folder, incremental), 'x'.repeat(bytes));
  const manifest = `file ${base} seq 1 type b\nfile ${incremental} seq ${String(seq)} type i\n`;
  writeFileSync(join(folder, 'appendonly.aof.manifest'), manifest);
}

describe('what lies in an instance’s folders', () => {
  it('nothing at all', () => {
    const spec = specOf(configurationOf(root), TRACK, 'vault');
    expect(readFolders(spec, undefined)).toMatchObject({
      drifted: [],
      fenced: false,
      mark: undefined,
      vault: { birth: undefined, aof: undefined },
      hasData: false,
      engine: undefined,
      freeBytes: undefined,
    });
  });

  it('everything as rendered', () => {
    const { spec, files } = rendered('vault');
    const facts = readFolders(spec, files);
    expect(facts).toMatchObject({ drifted: [], driftedDirectives: [], readableByOthers: [], fenced: false });
    expect(facts.freeBytes).toBeGreaterThan(0);
    expect(facts.totalBytes).toBeGreaterThanOrEqual(facts.freeBytes ?? 0);
  });

  it('an edited file, a missing one, a readable one', () => {
    const { spec, files } = rendered('operational');
    writeFileSync(join(spec.configDir, 'redis.conf'), 'maxclients 17\n', { flag: 'a' });
    chmodSync(join(spec.configDir, 'redis.conf'), 0o640);
    rmSync(join(spec.configDir, 'health'));
    const facts = readFolders(spec, files);
    expect(facts.drifted).toEqual(['redis.conf', 'health']);
    expect(facts.driftedDirectives).toEqual(['maxclients']);
    expect(facts.readableByOthers).toEqual(['redis.conf']);
    expect(JSON.stringify(facts)).not.toContain(TEST_CREDENTIALS.replicator.reveal());
  });

  it('a fence, but not just any change of the users', () => {
    const fenced = rendered('vault', { fenced: true });
    expect(readFolders(fenced.spec, fenced.files)).toMatchObject({ drifted: ['users.acl'], fenced: true });
    writeFileSync(join(fenced.spec.configDir, 'users.acl'), 'user intruder on nopass ~* +@all\n');
    expect(readFolders(fenced.spec, fenced.files)).toMatchObject({ drifted: ['users.acl'], fenced: false });
  });

  it('a mark, a birth, an append-only file, an engine', () => {
    const { spec } = rendered('vault');
    writeFileSync(join(spec.configDir, 'mark'), `${INC} 2 7\n`);
    writeFileSync(join(spec.configDir, 'engine'), 'redis 8.2.3 41603\n');
    writeFileSync(join(spec.dataDir, 'nexus3.birth'), `born ${INC}\n`);
    writeAof(spec.dataDir, 2, 9);
    expect(readFolders(spec, undefined)).toMatchObject({
      mark: { incarnation: INC, seq: 2, bytes: 7 },
      vault: { birth: { state: 'born', incarnation: INC }, aof: { seq: 2, bytes: 9, missingFiles: [] } },
      hasData: true,
      engine: { kind: 'redis', version: '8.2.3', graphModule: 41_603 },
    });
  });

  it('a mark without its end, or too large to be one', () => {
    const { spec } = rendered('vault');
    const path = join(spec.configDir, 'mark');
    writeFileSync(path, `${INC} 2 7`);
    expect(readFolders(spec, undefined).mark).toBe('unreadable');
    writeFileSync(path, `${INC} 2 7\n`);
    truncateSync(path, 5_000_000_000);
    expect(readFolders(spec, undefined).mark).toBe('unreadable');
  });

  it('a snapshot alone is data, too', () => {
    const { spec } = rendered('operational');
    writeFileSync(join(spec.dataDir, 'dump.rdb'), 'REDIS');
    expect(readFolders(spec, undefined)).toMatchObject({ hasData: true, vault: { aof: undefined } });
  });

  it('an append-only file of which one is gone', () => {
    const { spec } = rendered('vault');
    writeAof(spec.dataDir, 2, 9);
    rmSync(join(spec.dataDir, 'appendonlydir', 'appendonly.aof.2.incr.aof'));
    expect(readVaultFolder(spec.dataDir).aof?.missingFiles).toEqual(['appendonly.aof.2.incr.aof']);
  });

  it('a folder where a file should be, and a file where the folder should be', () => {
    const { spec, files } = rendered('vault');
    rmSync(join(spec.configDir, 'users.acl'));
    mkdirSync(join(spec.configDir, 'users.acl'));
    rmSync(spec.dataDir, { recursive: true });
    writeFileSync(spec.dataDir, '');
    expect(readFolders(spec, files)).toMatchObject({ drifted: ['users.acl'], hasData: false });
  });
});

describe('the directives that differ', () => {
  it.each<[string, string, readonly string[]]>([
    ['a 1\nb 2\n', 'a 1\nb 2\n', []],
    ['a 1\n# old\n', '# new\n\na 1\n', []],
    ['a 1\n', 'a 2\n', ['a']],
    ['a 1\n', '', ['a']],
    ['', 'b\n', ['b']],
    ['a 1\nb 2\n', 'b 2\na 1\n', []],
    ['save 1 1\n', 'save 1 1\nsave 2 2\n', ['save']],
  ])('%j and %j', (a, b, expected) => {
    expect(directivesThatDiffer(a, b)).toEqual(expected);
  });

  it('are the same from either side, and none between a text and itself', () => {
    const texts = fc
      .array(fc.constantFrom('a 1', 'a 2', 'b 1', '# c', ''), { maxLength: 6 })
      .map((lines) => lines.join('\n'));
    fc.assert(
      fc.property(texts, texts, (a, b) => {
        expect(directivesThatDiffer(a, b).toSorted()).toEqual(directivesThatDiffer(b, a).toSorted());
        expect(directivesThatDiffer(a, a)).toEqual([]);
      }),
    );
  });
});
