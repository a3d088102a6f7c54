import { describe, expect, it } from 'vitest';
import { ERROR_EXIT_CODES, EXIT, Nexus3Error, systemErrorCode, writeFailure } from './errors.js';

const systemError = (code: string): Error => Object.assign(new Error(`${code}: it failed`), { code });

describe('an error', () => {
  it('carries what happened, the evidence, what to do, and its exit code', () => {
    const cause = new Error('below');
    const error = new Nexus3Error('PORT_TAKEN', 'Port 6640 is taken.', {
      evidence: ['pid 1'],
      hint: 'Stop it.',
      cause,
    });
    expect(error).toMatchObject({ code: 'PORT_TAKEN', evidence: ['pid 1'], hint: 'Stop it.', cause, exitCode: 1 });
    expect(new Nexus3Error('USAGE', 'x', { hint: 'y' })).toMatchObject({ evidence: [], exitCode: 2 });
    expect('cause' in new Nexus3Error('USAGE', 'x', { hint: 'y' })).toBe(false);
  });

  it('has an exit code that means something, whatever its code', () => {
    const known: readonly number[] = Object.values(EXIT).filter((code) => code !== EXIT.good);
    for (const [code, exitCode] of Object.entries(ERROR_EXIT_CODES)) expect(known, code).toContain(exitCode);
  });
});

describe('a system error', () => {
  it('is known by its code, and only by a text', () => {
    expect(systemErrorCode(systemError('ENOENT'))).toBe('ENOENT');
    expect(systemErrorCode(Object.assign(new Error('x'), { code: 5 }))).toBeUndefined();
    for (const other of [new Error('x'), 'ENOENT', undefined, null, { code: 'ENOENT' }]) {
      expect(systemErrorCode(other)).toBeUndefined();
    }
  });

  it.each([
    ['ENOSPC', 'DISK_FULL'],
    ['EDQUOT', 'DISK_FULL'],
    ['EACCES', 'FILE_NOT_WRITABLE'],
    ['EPERM', 'FILE_NOT_WRITABLE'],
    ['EROFS', 'FILE_NOT_WRITABLE'],
    ['ENOTDIR', 'FILE_NOT_WRITABLE'],
  ])('%s while writing is %s, with the path, the way out and its cause', (code, ours) => {
    const cause = systemError(code);
    const failure = writeFailure('/data/x', cause);
    expect(failure).toMatchObject({ code: ours, cause, exitCode: EXIT.problem });
    expect(failure).toBeInstanceOf(Nexus3Error);
    if (failure instanceof Nexus3Error) {
      expect(failure.message).toContain('/data/x');
      expect(failure.hint).not.toBe('');
    }
  });

  it('that we have no words for stays as it is', () => {
    const other = systemError('EMFILE');
    expect(writeFailure('/data/x', other)).toBe(other);
    expect(writeFailure('/data/x', 'text')).toBe('text');
  });
});
