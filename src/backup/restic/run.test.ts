import { spawn } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { failureOf } from '../../../test/support/failure.js';
import { Secret } from '../../protocol/secret.js';
import type { ResticCall } from './run.js';
import { runRestic } from './run.js';
import { watchedCommand } from './watch.js';

const UNTIL_MS = 8_000;

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus3-restic-'));
});
afterAll(() => rm(folder, { recursive: true }));

/** Runs a script of the shell in restic's place. */
async function run(script: string, call: Partial<ResticCall> = {}): ReturnType<typeof runRestic> {
  const program = join(folder, 'restic');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  const environment = { PATH: process.env['PATH'] ?? '' };
  return runRestic(program, { args: ['backup'], environment, timeoutMs: 10_000, ...call });
}

/** Of this user's, those whose command line holds a word. */
async function processesWith(word: string): Promise<number> {
  const lines = (await readdir('/proc'))
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => ''));
  return (await Promise.all(lines)).filter((line) => line.includes(word)).length;
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const giveUpAt = Date.now() + UNTIL_MS;
  while (!(await isSo())) {
    if (Date.now() > giveUpAt) throw new Error('it never was so');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('one run of restic', () => {
  it('tells how it ended, what it printed, and what it complained of', async () => {
    expect(await run('echo out; echo err >&2; exit 3')).toEqual({ code: 3, stdout: 'out\n', errors: ['err'] });
    expect(await run('kill -9 $$')).toMatchObject({ code: null });
  });

  it('hands over passwords by files that have no name, and can be read as often as it likes', async () => {
    const script =
      'while [ $# -gt 0 ]; do case $1 in --*password-file) cat "$2" "$2";; esac; shift; done; pwd; env | grep -c .';
    const { stdout } = await run(script, {
      password: new Secret('first'),
      newPassword: new Secret('second'),
      cwd: folder,
    });
    expect(stdout).toMatch(new RegExp(`^first\nfirst\nsecond\nsecond\n${folder}\n`));
    expect((await readdir(folder)).sort()).toEqual(['restic']);
  });

  it('passes on nothing of the environment but what it is given', async () => {
    expect((await run('env', { environment: { PATH: '/bin:/usr/bin', A: 'b' } })).stdout.split('\n').sort()).toEqual(
      expect.not.arrayContaining([expect.stringMatching(/^(HOME|TMPDIR|USER)=/) as string]),
    );
  });

  it('ends it, and all that it has started, when it takes too long', async () => {
    const seconds = '61.2347';
    const error = await failureOf(run(`echo waiting >&2; sleep ${seconds} | cat`, { timeoutMs: 300 }));
    expect(error).toMatchObject({
      code: 'RESTIC_FAILED',
      message: 'restic was ended: it had not ended after 0 s.',
      evidence: ['restic backup', 'waiting'],
    });
    expect(await processesWith(seconds)).toBe(0);
  });

  it('ends it when nexus3 is killed: it is told to, and then made to', async () => {
    const [polite, deaf] = ['62.2347', '63.2347'];
    for (const [seconds, script] of [
      [polite, `trap 'echo told > ${folder}/told; exit 0' INT; while :; do sleep ${polite} & wait $!; done`],
      [deaf, `trap '' INT; while :; do sleep ${deaf}; done`],
    ] as const) {
      const program = join(folder, 'restic');
      await writeFile(program, `#!/bin/sh\n${script}\n`, { mode: 0o755 });
      const [shell, ...words] = watchedCommand(program, [], 1);
      const nexus3 = spawn(
        process.execPath,
        [
          '-e',
          `const child = require('node:child_process').spawn(${JSON.stringify(shell)}, ${JSON.stringify(words)}, {
            detached: true, stdio: ['pipe', 'ignore', 'ignore', 'ignore', 'ignore'] });
           setInterval(() => {}, 1000);`,
        ],
        { stdio: 'ignore' },
      );
      await until(async () => (await processesWith(seconds)) > 0);
      nexus3.kill('SIGKILL');
      await until(async () => (await processesWith(seconds)) === 0);
    }
    expect(await readFile(join(folder, 'told'), 'utf8')).toBe('told\n');
    await rm(join(folder, 'told'));
  });

  it('leaves nothing of it when it has ended, and not the one who watches it either', async () => {
    const seconds = '64.2347';
    await run(`sleep ${seconds} > /dev/null 2>&1 &`);
    await until(async () => (await processesWith(seconds)) === 0 && (await processesWith(folder)) === 0);
  });

  it('keeps the last of many complaints, and cuts long ones', async () => {
    const { errors } = await run(
      'i=0; while [ $i -lt 100 ]; do echo "line $i" >&2; i=$((i+1)); done; printf "%05000d\\n" 1 >&2',
    );
    expect(errors).toHaveLength(40);
    expect(errors.at(-2)).toBe('line 99');
    expect(errors.at(-1)).toHaveLength(2_000);
  });

  it('ends one that prints without end', async () => {
    const error = await failureOf(run('exec yes "$(printf "%01000d" 1)"', { timeoutMs: 60_000 }));
    expect(error.message).toBe('restic was ended: it printed too much.');
  });

  it('never shows the password of an address, and says when a disk is full', async () => {
    const { resticFailed } = await import('./faults.js');
    const said = ['', 'Fatal: cannot open rest:https://me:hunter2@host/: write: no space left on device'];
    const error = resticFailed({ message: 'No.', said, hint: '…' });
    expect(error).toMatchObject({
      code: 'DISK_FULL',
      evidence: ['Fatal: cannot open rest:https://…@host/: write: no space left on device'],
    });
  });
});
