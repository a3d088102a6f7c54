/** The commands of `locker` as a person types them; the lockers themselves are tested in src/locker. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { MemoryStream, parsed, runCli, worlds } from '../../../test/support/cli-run.js';
import { VALUE_BYTES_MAX } from '../../locker/envelope.js';
import type { Lockers, LockerView } from '../../locker/lockers.js';
import {
  DESCRIPTION_CHARS_MAX,
  KEYS_MAX,
  LOCKERS_MAX,
  NOTES_CHARS_MAX,
  PASSWORD_BYTES_MAX,
} from '../../locker/lockers/words.js';
import { Secret } from '../../protocol/secret.js';
import type { Operations } from '../operations.js';
import { OPERATIONS } from '../operations.js';
import { run } from '../run.js';

let cwd: string;
beforeEach(async () => {
  cwd = await mkdtemp(join(tmpdir(), 'nexus3-cli-'));
});
afterEach(() => rm(cwd, { recursive: true }));

const VIEW: LockerView = {
  id: 'l_1a2b',
  name: 'stripe',
  description: '',
  notes: '',
  createdAt: null,
  keys: [{ name: 'k', version: 2, madeAt: null, hasPrevious: true, rotating: false }],
};

/** Lockers that remember what was asked of them. */
function asked(): { readonly operations: Partial<Operations>; readonly calls: unknown[] } {
  const calls: unknown[] = [];
  const reveal = (value: Secret | null): string | null => value?.reveal() ?? null;
  const lockers: Partial<Lockers> = {
    show: async () => VIEW,
    set: async (ref, values) => {
      calls.push([ref, ...[...values].map(([key, value]) => [key, reveal(value)])]);
      return { locker: VIEW, changed: ['k'] };
    },
    deleteLocker: async (ref) => {
      calls.push(['delete-locker', ref]);
      return VIEW;
    },
    deleteKey: async (ref, key, forGood) => {
      calls.push(['delete', ref, key, forGood]);
      return { locker: VIEW, changed: ['k'] };
    },
    reveal: async (_ref, key) => ({
      ...{ id: 'l_1a2b', name: 'stripe', key, version: 2, madeAt: null },
      value: new Secret('a\nb'),
    }),
  };
  const clock = { now: () => new Date(0), sleep: () => Promise.resolve() };
  return { operations: { ...worlds(cwd, { clock }), lockers: async () => lockers as Lockers }, calls };
}

describe('set', () => {
  it.each([
    ['s3cret', 's3cret', 0],
    ['s3cret', 's3cre7', 2],
  ])('asks unseen on a terminal, twice: %s and %s', async (first, second, exitCode) => {
    const { operations, calls } = asked();
    const stdin: PassThrough & { isTTY?: boolean } = new PassThrough();
    stdin.isTTY = true;
    const [stdout, stderr] = [new MemoryStream(80), new MemoryStream(80)];
    const io = { cwd, env: {}, stdin, stdout, stderr, signal: new AbortController().signal };
    const done = run(['locker', 'set', 'stripe', 'k'], io, { ...OPERATIONS, ...operations });
    await expect.poll(() => stderr.text).toContain('Value of k: ');
    stdin.write(`${first}\r`);
    await expect.poll(() => stderr.text).toContain('The same again: ');
    stdin.write(`${second}\r`);
    expect(await done, stderr.text).toBe(exitCode);
    expect(calls).toEqual(exitCode === 0 ? [['stripe', ['k', 's3cret']]] : []);
    expect(stdout.text).toBe(exitCode === 0 ? 'l_1a2b (stripe): k (version 2)\n' : '');
    expect(stderr.text).not.toContain('s3cre');
  });

  it('does not wait for an answer that cannot come', async () => {
    const { operations, calls } = asked();
    const argv = ['locker', 'set', 'stripe', 'k'];
    const ended = await runCli(argv, { cwd, operations, columns: 80, stdin: 's3cret\n' });
    expect([ended.exitCode, calls]).toEqual([2, []]);
  });

  it('takes a pipe, without its last line break unless that counts', async () => {
    const { operations, calls } = asked();
    await runCli(['locker', 'set', 'stripe', 'k'], { cwd, operations, stdin: 'a\n\n' });
    await runCli(['locker', 'set', 'stripe', 'k', '--exact'], { cwd, operations, stdin: 'a\n\n' });
    await runCli(['locker', 'set', 'stripe', '--many'], { cwd, operations, stdin: '{"k": "a\\n", "l": null}\n' });
    expect(calls).toEqual([
      ['stripe', ['k', 'a\n']],
      ['stripe', ['k', 'a\n\n']],
      ['stripe', ['k', 'a\n'], ['l', null]],
    ]);
  });

  it('says all limits in its help', async () => {
    const help = [
      (await runCli(['locker', 'set', '--help'])).stdout,
      (await runCli(['locker', 'create', '--help'])).stdout,
    ]
      .join()
      .replaceAll(/\s+/g, ' ');
    const number = (value: number): string => value.toLocaleString('en');
    expect(help).toContain(`a value is text of up to ${number(VALUE_BYTES_MAX)} bytes`.replace('a value', 'A value'));
    expect(help).toContain(`a locker up to ${number(KEYS_MAX)} of them`);
    expect(help).toContain(`(up to ${number(PASSWORD_BYTES_MAX)} bytes)`);
    expect(help).toContain(`up to ${number(DESCRIPTION_CHARS_MAX)} characters, notes up to ${number(NOTES_CHARS_MAX)}`);
    expect(help).toContain(`${number(LOCKERS_MAX)} lockers`);
  });
});

describe('delete', () => {
  it.each([
    [['locker', 'delete', 'stripe'], 'stripe\n', 0, [['delete-locker', 'l_1a2b']]],
    [['locker', 'delete', 'stripe'], 'yes\n', 2, []],
    [['locker', 'delete', 'stripe', '--yes'], '', 0, [['delete-locker', 'l_1a2b']]],
    [['locker', 'delete', 'stripe', 'k'], '', 0, [['delete', 'l_1a2b', 'k', false]]],
    [['locker', 'delete', 'stripe', 'k', '--for-good'], 'k\n', 0, [['delete', 'l_1a2b', 'k', true]]],
    [['locker', 'delete', 'stripe', 'k', '--for-good'], 'stripe\n', 2, []],
    [['locker', 'delete', 'stripe', '--for-good', '--yes'], '', 2, []],
  ])('%j answered %j', async (argv, stdin, exitCode, expected) => {
    const { operations, calls } = asked();
    const result = await runCli(argv, { cwd, operations, columns: 80, stdin });
    expect(result.exitCode, result.stderr).toBe(exitCode);
    expect(calls).toEqual(expected);
  });

  it('names the locker by its id in the document, with nothing in it', async () => {
    const { operations } = asked();
    const { stdout } = await runCli(['locker', 'delete', 'stripe', '--yes', '--json'], { cwd, operations });
    expect(parsed(stdout)).toMatchObject({
      schema: 'nexus3.locker/1',
      id: 'l_1a2b',
      keys: [],
      changed: ['k'],
      deleted: true,
    });
  });
});

it('reveal prints the value as it is, also under --quiet', async () => {
  const { operations } = asked();
  expect((await runCli(['locker', 'reveal', 'stripe', 'k', '--quiet'], { cwd, operations })).stdout).toBe('a\nb\n');
});
