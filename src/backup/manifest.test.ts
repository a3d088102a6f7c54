/** What a manifest says is what was written, or nothing. */
import { readFile } from 'node:fs/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newBackup, someSecret } from '../../test/support/backup-repository.js';
import { Nexus3Error } from '../errors.js';
import { backupId } from './backup-id.js';
import { BackupSecret, type KnownSecrets } from './backup-secret.js';
import { type Manifest, MANIFEST_SCHEMA } from './backups.js';
import { parseManifest, renderManifest } from './manifest.js';

const [secret, other] = [new BackupSecret(someSecret()), new BackupSecret(someSecret())];
const known: KnownSecrets = { present: secret, earlier: [other], fault: undefined };

const HEX = Array.from({ length: 16 }, (_, digit) => digit.toString(16));
const counts = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const hex = (length: number): fc.Arbitrary<string> =>
  fc.string({ unit: fc.constantFrom(...HEX), minLength: length, maxLength: length });
const times = fc
  .date({ min: new Date('2020-01-01'), max: new Date('2099-01-01'), noInvalidDate: true })
  .map((date) => date.toISOString());
const engines = fc.record({
  kind: fc.constantFrom('redis', 'valkey'),
  version: fc.tuple(fc.nat(99), fc.nat(99), fc.nat(999)).map((parts) => parts.join('.')),
  graphModule: counts,
});
const graphs = fc.record({
  name: fc.string({ unit: 'binary' }),
  nodes: counts,
  edges: counts,
  labels: counts,
  indexes: counts,
  constraints: counts,
});
const contents = fc.record({
  databases: fc.array(fc.record({ db: counts, keys: counts, expiring: counts }), { maxLength: 5 }),
  graphs: fc.array(graphs, { maxLength: 5 }),
});
const verifications = fc.record({
  verifiedAt: times,
  loadMs: counts,
  runtime: fc.constantFrom('docker', 'process'),
  engine: engines,
});
const snapshots = fc.oneof(
  fc.record({ bytes: counts, sha256: hex(64) }).map(({ bytes, sha256 }) => {
    return { file: 'dump.rdb', bytes, sha256, rdbBytes: bytes, rdbSha256: sha256 } as const;
  }),
  fc.record({
    file: fc.constant('dump.rdb.age'),
    bytes: counts,
    sha256: hex(64),
    rdbBytes: counts,
    rdbSha256: hex(64),
  }),
);
const manifests: fc.Arbitrary<Manifest> = fc
  .record({
    env: fc.stringMatching(/^[a-z][a-z0-9-]{0,30}$/),
    kind: fc.constantFrom('standard', 'secure'),
    createdAt: times,
    durationMs: counts,
    version: fc.constantFrom('0.1.0', '12.0.3-next.1'),
    engine: engines,
    replication: fc.record({ id: hex(40), offset: counts }),
    snapshot: snapshots,
    content: fc.option(contents),
    verification: fc.option(verifications),
    suffix: hex(4),
  })
  .map(({ suffix, ...rest }) => ({
    schema: MANIFEST_SCHEMA,
    id: backupId(new Date(rest.createdAt), suffix),
    ...rest,
  }));

const { createdAt, ...rest } = newBackup();
const MANIFEST: Manifest = {
  schema: MANIFEST_SCHEMA,
  id: backupId(createdAt, 'beef'),
  ...rest,
  createdAt: createdAt.toISOString(),
  durationMs: 12,
  snapshot: { file: 'dump.rdb', bytes: 3, sha256: 'a'.repeat(64), rdbBytes: 3, rdbSha256: 'a'.repeat(64) },
  content: { databases: [{ db: 0, keys: 1, expiring: 0 }], graphs: [] },
  verification: null,
};
const parse = (text: string, place: { env: string; id: string } = MANIFEST): Manifest =>
  parseManifest(text, place, known).manifest;
const codeOf = (text: string, place?: { env: string; id: string }): string => {
  try {
    return `believed: ${parse(text, place).id}`;
  } catch (error) {
    if (error instanceof Nexus3Error) return error.code;
    throw error;
  }
};
/** As somebody would who has the secret: everything is true of it but what it says. */
const said = (changes: Readonly<Record<string, unknown>>): string =>
  renderManifest({ ...MANIFEST, ...changes }, secret);

describe('a manifest', () => {
  it('is read as it was written, under whichever known key, and whatever its white space and the order of its fields', () => {
    fc.assert(
      fc.property(manifests, fc.boolean(), (manifest, earlier) => {
        const text = renderManifest(manifest, earlier ? other : secret);
        expect(parseManifest(text, manifest, known)).toEqual({ manifest, secret: earlier ? other : secret });
        const turned = Object.fromEntries(Object.entries(JSON.parse(text) as object).reverse());
        expect(parse(JSON.stringify(turned), manifest)).toEqual(manifest);
      }),
    );
  });

  it('is not believed when any character of it is another', () => {
    const text = renderManifest(MANIFEST, secret);
    const believed: string[] = [];
    for (let at = 0; at < text.length; at += 1) {
      for (const character of ['0', '}', '"']) {
        if (text[at] === character) continue;
        const changed = `${text.slice(0, at)}${character}${text.slice(at + 1)}`;
        if (/\s/.test(text.charAt(at)) && JSON.stringify(tolerant(changed)) === JSON.stringify(JSON.parse(text)))
          continue;
        if (codeOf(changed).startsWith('believed')) believed.push(changed);
      }
    }
    expect(believed).toEqual([]);
  });

  it('covers what this version does not know, and leaves it out', () => {
    const text = said({ later: { more: [1] } });
    expect(parse(text)).toEqual(MANIFEST);
    expect(codeOf(text.replace('"more"', '"less"'))).toBe('BACKUP_INVALID');
    expect(codeOf(renderManifest(MANIFEST, secret).replace('{', '{ "later": 1,'))).toBe('BACKUP_INVALID');
  });

  it('is believed in its own place alone', () => {
    const text = renderManifest(MANIFEST, secret);
    expect(codeOf(text)).toBe(`believed: ${MANIFEST.id}`);
    expect(codeOf(text, { env: 'web', id: MANIFEST.id })).toBe('BACKUP_INVALID');
    expect(codeOf(text, { env: 'track', id: '20260108T120000Z-0000' })).toBe('BACKUP_INVALID');
  });

  it('under a key that is not known says so', () => {
    expect(codeOf(renderManifest(MANIFEST, new BackupSecret(someSecret())))).toBe('BACKUP_KEY_UNKNOWN');
  });

  it.each<[string, Readonly<Record<string, unknown>>]>([
    ['another schema', { schema: 'nexus3.backup/2' }],
    ['no environment', { env: '../etc' }],
    ['an id of another second', { id: '20260108T120001Z-beef' }],
    ['no time', { createdAt: '2026-01-08' }],
    ['a negative duration', { durationMs: -1 }],
    ['a fraction of a byte', { snapshot: { ...MANIFEST.snapshot, bytes: 0.5 } }],
    ['a file elsewhere', { snapshot: { ...MANIFEST.snapshot, file: '../other/dump.rdb' } }],
    ['two sizes of one file', { snapshot: { ...MANIFEST.snapshot, rdbBytes: 4 } }],
    ['no hash', { snapshot: { ...MANIFEST.snapshot, sha256: 'A'.repeat(64) } }],
    ['a version with a control character', { version: '1\u001b[2J' }],
    ['no engine', { engine: { kind: 'memcached', version: '1.0.0', graphModule: 0 } }],
    ['no replication id', { replication: { id: 'x', offset: 0 } }],
    ['no content', { content: undefined }],
    ['a list that is none', { content: { databases: {}, graphs: [] } }],
    ['half a verification', { verification: { verifiedAt: MANIFEST.createdAt } }],
  ])('that says %s is not believed, also when its MAC fits', (_what, changes) => {
    const place = { env: 'track', id: typeof changes['id'] === 'string' ? changes['id'] : MANIFEST.id };
    expect(codeOf(said(changes), place)).toBe('BACKUP_INVALID');
  });

  it('that is anything else is refused, without a crash', () => {
    const deep = `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`;
    const mac = `"mac":{"key":"${secret.fingerprint}","value":"${'0'.repeat(64)}"}`;
    for (const text of ['', '[]', 'null', deep, `{"schema":"${MANIFEST_SCHEMA}"}`]) {
      expect(codeOf(text), text.slice(0, 50)).toBe('BACKUP_INVALID');
    }
    expect(codeOf(`{"schema":"${MANIFEST_SCHEMA}","x":${deep},${mac}}`)).toBe('BACKUP_INVALID');
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom('schema', 'env', 'id', 'mac', 'content'), fc.jsonValue()), (json) => {
        expect(codeOf(JSON.stringify({ ...json, schema: MANIFEST_SCHEMA }))).toBe('BACKUP_INVALID');
      }),
    );
  });
});

describe('docs/backup-repository.md', () => {
  it('shows a manifest with every field that there is', async () => {
    const page = await readFile(new URL('../../docs/backup-repository.md', import.meta.url), 'utf8');
    const example = /```json\n(\{\n {2}"schema": "nexus3.backup\/1"[^`]*)```/.exec(page)?.[1] ?? '';
    const { mac, ...shown } = JSON.parse(example) as Manifest & { readonly mac: object };
    const text = renderManifest(shown, secret);
    expect(parse(text, shown)).toEqual(shown);
    const written = JSON.parse(text) as { readonly mac: object };
    expect(Object.keys(written)).toEqual(Object.keys({ ...shown, mac }));
    expect(Object.keys(written.mac)).toEqual(Object.keys(mac));
  });
});

function tolerant(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
