/** What is remembered of a push that did not succeed, on a real disk. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import {
  chunksOf,
  FIRST_CREATED_AT,
  newBackup,
  type TestRepository,
  testRepository,
} from '../../test/support/backup-repository.js';

let repository: TestRepository;
beforeEach(async () => {
  repository = await testRepository();
});
afterEach(() => repository[Symbol.asyncDispose]());

it('is owed since the first time, with the code of the last failure, until it is done', async () => {
  const backups = repository.open();
  const { pushes } = backups;
  await backups.write(newBackup(), chunksOf(Buffer.from('x')));
  expect(await pushes.owed()).toBeUndefined();
  await pushes.owe(null);
  const since = new Date(FIRST_CREATED_AT.getTime() + 1_500).toISOString();
  expect(await pushes.owed()).toEqual({ since, code: null });
  repository.now = new Date('2026-01-09T00:00:00Z');
  await pushes.owe('RESTIC_FAILED');
  expect(await pushes.owed()).toEqual({ since, code: 'RESTIC_FAILED' });
  await pushes.done();
  await pushes.done();
  expect(await pushes.owed()).toBeUndefined();
  // What nobody can read is owed as well.
  await writeFile(join(repository.root, '.push-owed'), 'x');
  expect(await pushes.owed()).toEqual({ since: '1970-01-01T00:00:00.000Z', code: null });
});
