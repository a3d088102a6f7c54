/** What `aside list` and `aside discard` say. Pure. */
import type { AsideEnvironment, AsideReport, KeptAside, KeptReason } from '../../reconcile/aside.js';
import type { Page } from './paint.js';
import { clean, formatBytes, hanging, plural, wrap } from './text.js';

const WHY: Readonly<Record<KeptReason, string>> = {
  vault: 'what the vault held before a restore or a rebuild',
  operational: 'what the operational held while its vault did not serve',
  undone: 'restored data that were taken back',
  reset: 'Locker before a reset',
  found: 'what lay in the vault’s place when the old data were put back',
  other: 'not a name of nexus3',
};

const FINISH: Readonly<Record<NonNullable<AsideEnvironment['neededBy']>, (name: string) => string>> = {
  restore: (name) => `a restore is not finished: nexus3 restore ${name}`,
  recover: (name) => `a recovery is not finished: nexus3 check ${name}`,
  guard: (name) => `its vault has lost data, and this may be the last copy: nexus3 check ${name}`,
  reset: () => 'a reset is not finished: nexus3 locker reset',
};

const UNARCHIVED =
  'Its history is in no archive, so it stays. If nobody needs that, remove the file nexus3.unarchived in it.';

const OUTCOME: Readonly<Record<KeptAside['outcome'], string>> = { stays: '', goes: ', goes', discarded: ', discarded' };

export function renderAside({ environments, dryRun }: AsideReport, page: Page): readonly string[] {
  const some = environments.filter(({ kept }) => kept.length > 0);
  const lines = some.flatMap(({ name, neededBy, kept }) => [
    page.paint('strong', name),
    ...kept.flatMap((one) => keptLines(one, page)),
    ...(neededBy === null ? [] : hanging('  ! ', `All of it stays, because ${FINISH[neededBy](name)}`, page.width)),
  ]);
  if (page.quiet) return lines;
  const all = some.flatMap(({ kept }) => kept);
  if (all.length === 0) return ['Nothing is kept aside.'];
  const [going, gone] = (['goes', 'discarded'] as const).map((outcome) => all.filter((one) => one.outcome === outcome));
  return [...lines, '', ...wrap(closing(all, going ?? [], gone ?? [], dryRun), page.width)];
}

function keptLines({ path, bytes, keptAt, reason, unarchived, outcome }: KeptAside, page: Page): readonly string[] {
  const when = keptAt === null ? '' : `${keptAt.replace(/\.\d+Z$/, 'Z')}, `;
  return [
    ...hanging('  ', `${when}${formatBytes(bytes)}: ${WHY[reason]}${OUTCOME[outcome]}`, page.width),
    ...hanging('    ', clean(path), page.width),
    ...(unarchived ? hanging('    ', UNARCHIVED, page.width) : []),
  ];
}

function closing(
  all: readonly KeptAside[],
  going: readonly KeptAside[],
  gone: readonly KeptAside[],
  dryRun: boolean,
): string {
  const size = (some: readonly KeptAside[]): string => formatBytes(some.reduce((sum, { bytes }) => sum + bytes, 0));
  if (!dryRun) return `${plural(gone.length, 'folder')} discarded, ${size(gone)}.`;
  if (going.length > 0) return `${plural(going.length, 'folder')} would go, ${size(going)}. Discard them with --yes.`;
  return `${plural(all.length, 'folder')}, ${size(all)}. What is not needed any more: nexus3 aside discard ENV`;
}
