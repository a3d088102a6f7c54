/** Which Debian archives this machine's apt knows, best first. Pure; the list comes from `apt-get indextargets`. */

/** Fields of one line, tab-separated (apt-get(8), indextargets). */
export const INDEXTARGETS_FORMAT = '$(CREATED_BY)\t$(RELEASE)\t$(COMPONENT)\t$(REPO_URI)';

const DEBIAN_SUITE =
  /^(?:bullseye|bookworm|trixie|forky|duke|sid|unstable|testing|stable|oldstable|oldoldstable)(-updates|-backports|-proposed-updates)?$/;

/**
 * Addresses: those of a Debian suite first, then of its updates and backports, then whatever looks like a Debian archive.
 */
export function rankArchives(indextargets: string): readonly string[] {
  const ranked: { readonly rank: number; readonly uri: string }[] = [];
  for (const line of indextargets.split('\n')) {
    const [createdBy, release = '', component, uri = ''] = line.split('\t');
    if (createdBy !== 'Packages' || component !== 'main' || uri === '') continue;
    const rank = rankOf(release, uri);
    if (rank === undefined) continue;
    ranked.push({ rank, uri });
  }
  return [...new Set(ranked.toSorted((a, b) => a.rank - b.rank).map(({ uri }) => uri))];
}

function rankOf(release: string, uri: string): number | undefined {
  if (/-security\/?$/.test(uri) || /[-/]security$/.test(release) || uri.startsWith('cdrom:')) return undefined;
  const suite = DEBIAN_SUITE.exec(release);
  if (suite !== null) return suite[1] === undefined ? 0 : 1;
  return /\/debian\/?$/.test(uri) ? 2 : undefined;
}

/** A `deb` line for sources.list; without a keyring apt takes those that the machine trusts. */
export function sourceLine(uri: string, suite: string, keyring: string | undefined): string {
  return `deb ${keyring === undefined ? '' : `[signed-by=${keyring}] `}${uri} ${suite} main\n`;
}

/**
 * Of the machine's apt configuration only what says how to reach an archive (proxies, time-outs, certificates): its hooks
 * and index lists are for the machine's own package lists.
 */
export function acquireSettings(aptConfigDump: string): string {
  const wanted = /^(?:Acquire|Apt::Architecture)\b/i;
  const unwanted = /^Acquire::(?:IndexTargets|Languages|Changelogs|cdrom|Retries)\b/i;
  return `${aptConfigDump
    .split('\n')
    .filter((line) => wanted.test(line) && !unwanted.test(line))
    .join('\n')}\n`;
}

/** User and password of an address are not for a message. */
export function withoutUserInfo(text: string): string {
  return text.replace(/\/\/[^/@\s]*@/g, '//');
}
