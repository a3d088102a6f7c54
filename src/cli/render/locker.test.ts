import { describe, expect, it } from 'vitest';
import type { LockerHit, LockerView } from '../../locker/lockers.js';
import { lockerDocument, renderHits, renderLocker, renderLockers } from './locker.js';
import type { Page } from './paint.js';
import { makePaint } from './paint.js';

const WIDTHS = [80, 40];

function page(width: number, quiet = false): Page {
  return { width, paint: makePaint(false), quiet };
}

/** One text with a mark above, so that a snapshot shows where a line is too long. */
function framed(lines: readonly string[], width: number): string {
  return ['', '-'.repeat(width), ...lines].join('\n');
}

const HITS: readonly LockerHit[] = [
  {
    id: 'l_e0dd',
    name: 'environments',
    description: 'the environments’ passwords, which nexus3 makes and rotates',
    keys: Array.from({ length: 55 }, (_, index) => `track.${String(index)}`).slice(0, 12),
    foundIn: ['key'],
  },
  { id: 'l_1a2b', name: 'Stripe live', description: '', keys: [], foundIn: ['name', 'notes'] },
  {
    id: 'l_00ff',
    name: 'a-name-as-long-as-a-name-may-be-which-is-64-letters-and-no-more-',
    description: 'd'.repeat(200),
    keys: ['api-key', 'x-Track.1'],
    foundIn: ['id', 'description', 'key'],
  },
];

const VIEW: LockerView = {
  id: 'l_1a2b',
  name: 'Stripe live',
  description: 'payments, live; the account of the shop in the old town',
  notes: 'ask Ada before use\n\tand tell Grace, because she pays for it and wants to know of each and every use',
  createdAt: '2026-01-08T12:00:00.000Z',
  keys: [
    { name: 'api-key', version: 3, madeAt: '2026-01-09T12:34:56.000Z', hasPrevious: true, rotating: false },
    { name: 'gone', version: null, madeAt: null, hasPrevious: true, rotating: false },
    { name: 'old', version: 1, madeAt: null, hasPrevious: false, rotating: false },
    {
      name: 'a-key-as-long-as-a-key-may-be-which-is-64-letters-and-no-more--',
      version: 2,
      madeAt: null,
      hasPrevious: true,
      rotating: true,
    },
  ],
};

describe.each(WIDTHS)('%i columns wide', (width) => {
  it('all lockers', () => {
    const lines = renderLockers(HITS, page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
  });

  it('what was found', () => {
    const lines = renderHits(HITS, 'track.1', page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    expect(framed(renderHits([], 'x', page(width)), width)).toMatchSnapshot();
  });

  it('one locker', () => {
    const lines = renderLocker(VIEW, page(width));
    expect(framed(lines, width)).toMatchSnapshot();
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(width);
    const short = renderLocker({ ...VIEW, keys: VIEW.keys.slice(0, 3) }, page(width));
    expect(framed(short, width)).toMatchSnapshot();
    const empty = { ...VIEW, description: '', notes: '', createdAt: null, keys: [] };
    expect(framed(renderLocker(empty, page(width)), width)).toMatchSnapshot();
  });
});

describe('a locker', () => {
  it('says nothing that was not asked for under --quiet', () => {
    expect(renderHits([], 'x', page(80, true))).toEqual([]);
    expect(renderLocker({ ...VIEW, keys: [] }, page(80, true)).at(-1)).toBe('It holds nothing.');
    expect(renderLockers(HITS, page(80, true))).toHaveLength(4);
  });

  it('lets nothing that somebody wrote to Locker drive the terminal', () => {
    const evil = 'a\u001b[2J\u202eb';
    const view = { ...VIEW, name: evil, description: evil, notes: `${evil}\n${evil}`, createdAt: evil };
    const [key] = VIEW.keys;
    const keys = key === undefined ? [] : [{ ...key, name: evil, madeAt: evil }];
    for (const width of WIDTHS) {
      const hit: LockerHit = { id: 'l_1a2b', name: evil, description: evil, keys: [evil], foundIn: ['key'] };
      const lines = [
        ...renderLocker({ ...view, keys }, page(width)),
        ...renderLockers([hit], page(width)),
        ...renderHits([hit], 'a', page(width)),
      ];
      expect(lines.join('')).not.toMatch(/\p{Cc}|\u202e/u);
    }
  });

  it('as JSON holds only what the contract names', () => {
    const secret = { ...VIEW, value: 'hunter2', keys: VIEW.keys.map((key) => ({ ...key, value: 'hunter2' })) };
    expect(JSON.stringify(lockerDocument(secret))).not.toContain('hunter2');
  });
});
