/**
 * The order in which test files are begun: those that take long first, so that none of them is left to run alone at the
 * end. On a clean clone vitest knows only how big a file is, and the longest here are the smallest: their stories lie in
 * test/support.
 */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Longest first; more than about 25 s each. Only the order depends on it: a file that is not named comes later. */
const LONG_FILES = [
  'test/process/client-failure.test.ts',
  'test/process/runbooks.test.ts',
  'test/process/findings.test.ts',
  'test/process/restore.test.ts',
  'test/process/recovery-kit.test.ts',
  'test/process/history-put-back.test.ts',
  'test/process/secrets.test.ts',
  'test/process/rotation.test.ts',
  'test/process/killed.test.ts',
  'test/process/restore-last-copies.test.ts',
  'test/process/mcp-transports.test.ts',
  'test/process/client.test.ts',
  'test/process/client-commands.test.ts',
  'test/process/reset.test.ts',
  'test/process/rekey.test.ts',
  'test/process/bad-servers.test.ts',
  'test/process/disasters.test.ts',
  'test/process/rekey-backups.test.ts',
  'test/docker/client-failure.test.ts',
  'test/docker/containers.test.ts',
  'test/docker/findings.test.ts',
  'test/docker/rotation.test.ts',
  'test/docker/secrets.test.ts',
  'test/docker/killed.test.ts',
  'test/docker/restore.test.ts',
  'test/docker/reset.test.ts',
  'test/docker/last-copy.test.ts',
  'src/runtime/docker/docker-runtime.test.ts',
  'test/docker/never-open.test.ts',
  'test/docker/restarts.test.ts',
  'src/backup/restic/target.test.ts',
];

export class LongFilesFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => groupOf(one) - groupOf(other) || rankOf(one) - rankOf(other));
  }
}

function groupOf({ project }: TestSpecification): number {
  return project.config.sequence.groupOrder;
}

function rankOf({ moduleId }: TestSpecification): number {
  const rank = LONG_FILES.findIndex((path) => moduleId.endsWith(`/${path}`));
  return rank === -1 ? LONG_FILES.length : rank;
}
