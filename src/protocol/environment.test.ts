import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instanceKey, instancesOf, isEnvironmentName, portOf } from './environment.js';
import { containerName, layoutOf } from './layout.js';
import { portClashes } from './ports.js';
import { PROTOCOL_REGISTRY } from './registry.js';

describe('environment names', () => {
  it.each(['a', 'track', 'a-b-9', 'x'.repeat(31)])('accept %j', (name) => {
    expect(isEnvironmentName(name)).toBe(true);
  });

  it.each([
    '',
    '../x',
    'a b',
    '$(id)',
    'x'.repeat(32),
    'x'.repeat(300),
    'Track',
    '9a',
    '-a',
    'a_b',
    'a/b',
    'a\n',
    'ä',
    'a.b',
  ])('refuse %j', (name) => {
    expect(isEnvironmentName(name)).toBe(false);
  });

  it('never hold anything but a folder name', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.stringMatching(/^[a-z.$/ -]{1,35}$/)), (name) => {
        if (!isEnvironmentName(name)) return;
        const { root, config, data } = layoutOf('/root', name);
        expect(root).toBe(`/root/${name}`);
        expect([config.vault, data.operational].every((path) => path.startsWith(`${root}/`))).toBe(true);
        expect(containerName('nexus3', { env: name, role: 'vault' })).toMatch(/^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/);
      }),
    );
  });
});

describe('the registry of protocol v1.0', () => {
  it('holds twelve environments, twenty-two instances, and no two on one port', () => {
    expect(PROTOCOL_REGISTRY).toHaveLength(12);
    expect(PROTOCOL_REGISTRY.flatMap(instancesOf)).toHaveLength(22);
    expect(portClashes(PROTOCOL_REGISTRY)).toEqual([]);
  });

  it('is the protocol’s table', () => {
    const rows = PROTOCOL_REGISTRY.map((environment) => {
      const ports = instancesOf(environment).map(({ role }) => portOf(environment, role));
      return `${environment.name} ${ports.join(' ')}`;
    });
    expect(rows).toEqual([
      'user 6610',
      'workflow 6615 6616',
      'context 6620 6621',
      'kb 6625 6626',
      'contact 6630 6631',
      'links 6635 6636',
      'track 6640 6641',
      'session 6645 6646',
      'transcripts 6660 6661',
      'web 6670 6671',
      'chrono 6680 6681',
      'locker 6720',
    ]);
  });

  it('names every instance in one way', () => {
    expect(instanceKey({ env: 'track', role: 'vault' })).toBe('track/vault');
    expect(containerName('nexus3', { env: 'track', role: 'operational' })).toBe('nexus3-track-operational');
    expect(layoutOf('/data/nexus3', 'track')).toMatchObject({
      config: { vault: '/data/nexus3/track/config/vault' },
      data: { vault: '/data/nexus3/track/vault', operational: '/data/nexus3/track/operational' },
    });
  });
});
