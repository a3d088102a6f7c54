/** Lockers for people and as JSON. Never a value. Pure. */
import type { KeyView, LockerHit, LockerSummary, LockerView } from '../../locker/lockers.js';
import type { Page } from './paint.js';
import type { Column, LastColumn } from './table.js';
import { renderTable } from './table.js';
import { clean, cut, hanging, plural, wrap } from './text.js';

/** Below this a table is harder to read than lines one under the other. */
const TABLE_WIDTH_MIN = 60;
const NONE = '–';
/** Of a name in a table: the id says which one it is. */
const NAME_CHARS_SHOWN_MAX = 30;
/** Of an ISO 8601 time: the minute is enough for people. */
const MINUTE_CHARS = 'YYYY-MM-DDTHH:MM'.length;

export const LOCKER_SCHEMA = 'nexus3.locker/1';

export interface LockerDocument {
  readonly ok: true;
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly notes: string;
  readonly createdAt: string | null;
  readonly keys: readonly object[];
  readonly changed: readonly string[];
  readonly deleted: boolean;
}

/** @param changed keys that this command gave another value, or none */
export function lockerDocument(view: LockerView, changed: readonly string[] = [], deleted = false): LockerDocument {
  const { id, name, description, notes, createdAt, keys } = view;
  return {
    ok: true,
    id,
    name,
    description,
    notes,
    createdAt,
    keys: keys.map((key) => ({
      name: key.name,
      version: key.version,
      madeAt: key.madeAt,
      hasPrevious: key.hasPrevious,
      rotating: key.rotating,
    })),
    changed,
    deleted,
  };
}

export function renderLockers(lockers: readonly LockerSummary[], page: Page): readonly string[] {
  const table = page.width < TABLE_WIDTH_MIN ? undefined : renderTable(lockers, LOCKER_COLUMNS, DESCRIPTION, page);
  const body = table ?? lockers.flatMap((locker) => stacked(locker, page));
  if (page.quiet) return body;
  return [...body, '', ...wrap(`${plural(lockers.length, 'locker')}. Their keys: nexus3 locker show ID`, page.width)];
}

const LOCKER_COLUMNS: readonly Column<LockerSummary>[] = [
  { title: 'ID', dispensable: 0, cell: ({ id }) => ({ text: id, tone: 'strong' }) },
  { title: 'NAME', dispensable: 0, cell: ({ name }) => ({ text: cut(clean(name), NAME_CHARS_SHOWN_MAX) }) },
  { title: 'KEYS', dispensable: 1, align: 'right', cell: ({ keys }) => ({ text: String(keys.length) }) },
];

const DESCRIPTION: LastColumn<LockerSummary> = {
  title: 'DESCRIPTION',
  widthMin: 20,
  cell: ({ description }) => ({ text: clean(description) }),
};

function stacked({ id, name, keys, description }: LockerSummary, page: Page): readonly string[] {
  const width = page.width - 2;
  return [
    `${page.paint('strong', id)} ${cut(clean(name), page.width - id.length - 1)}`,
    `  ${cut([plural(keys.length, 'key'), ...(description === '' ? [] : [clean(description)])].join(', '), width)}`,
  ];
}

export function renderHits(hits: readonly LockerHit[], text: string, page: Page): readonly string[] {
  if (hits.length === 0) {
    return page.quiet ? [] : wrap('Nothing was found. Values are never searched.', page.width);
  }
  const wanted = text.toLowerCase();
  return hits.flatMap((hit) => {
    const keys = hit.keys.filter((key) => key.toLowerCase().includes(wanted)).map(clean);
    const where = hit.foundIn.map((place) =>
      place === 'key' ? `${keys.length === 1 ? 'key' : 'keys'} ${keys.join(', ')}` : place,
    );
    return [
      `${page.paint('strong', hit.id)} ${cut(clean(hit.name), page.width - hit.id.length - 1)}`,
      ...hanging('  in ', where.join('; '), page.width),
    ];
  });
}

export function renderLocker(view: LockerView, page: Page): readonly string[] {
  const { id, name, description, notes, createdAt, keys } = view;
  const head = `${page.paint('strong', id)} ${cut(clean(name), page.width - id.length - 1)}`;
  const about = [
    ...(description === '' ? [] : wrap(clean(description), page.width, '  ')),
    ...(createdAt === null ? [] : [`  made ${minute(createdAt)}`]),
    ...(notes === '' ? [] : notes.split('\n').flatMap((line) => wrap(clean(line), page.width, '  | '))),
  ];
  return [head, ...about, '', ...keyLines(view, keys, page)];
}

function keyLines({ id }: LockerView, keys: readonly KeyView[], page: Page): readonly string[] {
  if (keys.length === 0) {
    const next = page.quiet ? '' : ` Store one: nexus3 locker set ${id} KEY`;
    return wrap(`It holds nothing.${next}`, page.width);
  }
  const table = page.width < TABLE_WIDTH_MIN ? undefined : renderTable(keys, KEY_COLUMNS, STATE, page);
  return table ?? keys.flatMap((key) => stackedKey(key, page));
}

const KEY_COLUMNS: readonly Column<KeyView>[] = [
  { title: 'KEY', dispensable: 0, cell: ({ name }) => ({ text: clean(name), tone: 'strong' }) },
  { title: 'VERSION', dispensable: 0, align: 'right', cell: ({ version }) => ({ text: String(version ?? NONE) }) },
  { title: 'MADE (UTC)', dispensable: 1, cell: ({ madeAt }) => ({ text: madeAt === null ? NONE : minute(madeAt) }) },
];

const STATE: LastColumn<KeyView> = { title: 'BESIDES', widthMin: 22, cell: (key) => ({ text: stateOf(key) }) };

function stackedKey(key: KeyView, page: Page): readonly string[] {
  const made = key.madeAt === null ? '' : `, ${minute(key.madeAt)}`;
  const state = stateOf(key);
  return [
    page.paint('strong', cut(clean(key.name), page.width)),
    ...(key.version === null ? [] : [`  version ${String(key.version)}${made}`]),
    ...(state === '' ? [] : wrap(state, page.width, '  ')),
  ];
}

function stateOf({ version, hasPrevious, rotating }: KeyView): string {
  if (version === null) return 'deleted, can be restored';
  return [...(hasPrevious ? ['the one before is kept'] : []), ...(rotating ? ['being rotated'] : [])].join(', ');
}

/** `2026-01-08 12:00` */
function minute(iso: string): string {
  return clean(iso.slice(0, MINUTE_CHARS).replace('T', ' '));
}
