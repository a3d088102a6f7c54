import { describe, expect, it } from 'vitest';
import { whyScratchEnded } from './scratch-end.js';

/** As Redis 8.2.3 with FalkorDB 4.16.3 wrote them about files damaged in these ways. */
const SEEN: readonly [what: string, exitCode: number, line: string, code: string][] = [
  ['is of a later format', 1, "1:M # Can't handle RDB format version 99", 'BACKUP_TOO_NEW'],
  [
    'has graphs of a later module',
    0,
    'Failed loading Graph, FalkorDB version (41603) is not forward compatible.',
    'BACKUP_TOO_NEW',
  ],
  [
    'needs a module',
    1,
    "1:M # The RDB file contains AUX module data I can't load: no matching module 'graphdata'",
    'BACKUP_TOO_NEW',
  ],
  [
    'has more databases',
    1,
    '1:M # FATAL: Data file was created with a Redis server configured to handle more than 16 databases. Exiting',
    'BACKUP_TOO_NEW',
  ],
  ['is cut short', 1, '1:M # Short read or OOM loading DB. Unrecoverable error, aborting now.', 'BACKUP_DAMAGED'],
  [
    'is cut short in a graph',
    134,
    '1:M # Guru Meditation: Error loading data from RDB (short read or EOF). Read performed by module',
    'BACKUP_DAMAGED',
  ],
  ['has a wrong checksum', 1, '[offset 54341] RDB CRC error', 'BACKUP_DAMAGED'],
  [
    'has a flipped bit',
    1,
    '1:M # Internal error in RDB reading offset 0, function at rdb.c:419 -> Invalid LZF',
    'BACKUP_DAMAGED',
  ],
  ['is something else', 1, '1:M # Wrong signature trying to load DB from file', 'BACKUP_DAMAGED'],
  ['crashes the server', 139, '=== REDIS BUG REPORT START: Cut & paste starting from here ===', 'BACKUP_DAMAGED'],
  ['does not fit', 1, '1:M # Can’t write: No space left on device', 'DISK_FULL'],
  [
    'cannot be opened',
    1,
    '1:M # Fatal error: can’t open the RDB file dump.rdb for reading: Permission denied',
    'START_FAILED',
  ],
];

describe('a scratch server that ended, because its copy', () => {
  it.each(SEEN)('%s', (_, exitCode, line, code) => {
    const lines = ['1:M * Server initialized', line, '1:M * Bye bye'];
    const failure = whyScratchEnded('track', exitCode, lines);
    expect(failure.code).toBe(code);
    expect(failure.evidence.join('\n')).toContain(line.slice(0, 60));
    expect(failure.evidence[0]).toContain(String(exitCode));
    expect(failure.hint).not.toBe('');
  });

  it('of which a later format counts more than what follows from it', () => {
    const lines = [
      'Failed loading Graph, FalkorDB version (41603) is not forward compatible.',
      '# Internal error in RDB reading',
    ];
    expect(whyScratchEnded('track', 1, lines).code).toBe('BACKUP_TOO_NEW');
  });

  it('said nothing', () => {
    expect(whyScratchEnded('track', 137, []).evidence).toEqual(['the server ended with exit code 137']);
  });
});
