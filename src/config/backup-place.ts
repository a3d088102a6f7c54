/** Where backups lie, as absolute paths: beside the data, never among them. Pure. */
import { isAbsolute, relative } from 'node:path';
import type { BackupLines, WrittenBackupPolicy } from './backup.js';
import { folderOfTarget } from './backup.js';
import type { BackupPolicy, BackupTarget } from './configuration.js';
import { configInvalid } from './problems.js';
import type { Problem } from './problems.js';

/**
 * @param dataRoot absolute
 * @param absolute makes a path as it was written absolute
 * @param written where it is written; undefined: nowhere, so that only the root is to be decided
 * @throws Nexus3Error CONFIG_INVALID
 */
export function placed(
  policy: WrittenBackupPolicy,
  dataRoot: string,
  absolute: (path: string) => string,
  written: { readonly file: string; readonly lines: BackupLines } | undefined,
): BackupPolicy {
  // Beside the data root, not in it: whoever loses or wipes the one keeps the other.
  const root = policy.root === undefined ? `${dataRoot}-backups` : absolute(policy.root);
  const target = policy.target === undefined ? undefined : placedTarget(policy.target, absolute);
  const problems = written === undefined ? [] : misplaced({ root, target, dataRoot }, written.lines);
  if (written !== undefined && problems.length > 0) throw configInvalid(written.file, problems);
  return { ...policy, root, target: target?.target };
}

interface PlacedTarget {
  readonly target: BackupTarget;
  /** Undefined: it is no folder of this host. */
  readonly folder: string | undefined;
}

function placedTarget({ repository, environmentFile }: BackupTarget, absolute: (path: string) => string): PlacedTarget {
  const written = folderOfTarget(repository);
  const folder = written === undefined ? undefined : absolute(written);
  return {
    target: {
      repository: folder ?? repository,
      environmentFile: environmentFile === undefined ? undefined : absolute(environmentFile),
    },
    folder,
  };
}

function misplaced(
  { root, target, dataRoot }: { root: string; target: PlacedTarget | undefined; dataRoot: string },
  lines: BackupLines,
): readonly Problem[] {
  const problems: Problem[] = [];
  const note = (key: keyof BackupLines, path: string, text: string): void =>
    void problems.push({ line: lines[key] ?? lines.backup, path, text });
  if (isWithin(root, dataRoot)) {
    note(
      'root',
      'backup.root',
      `${root} is within the data root ${dataRoot}: what takes the data would take the backups`,
    );
  } else if (isWithin(dataRoot, root)) {
    note('root', 'backup.root', `${root} holds the data root ${dataRoot}; name a folder beside it`);
  }
  const folder = target?.folder;
  const around = folder === undefined ? undefined : [root, dataRoot].find((path) => isWithin(folder, path));
  if (folder !== undefined && around !== undefined) {
    note(
      'repository',
      'backup.target.repository',
      `${folder} is within ${around}: what takes that would take this copy`,
    );
  }
  return problems;
}

/** Also the folder itself. */
function isWithin(path: string, folder: string): boolean {
  const way = relative(folder, path);
  return way === '' || (way !== '..' && !way.startsWith('../') && !isAbsolute(way));
}
