/** A command whose reader goes away, or that is interrupted: as processes of their own, with real pipes and signals. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROCESS_HANDS, until } from '../support/break.js';
import { Nexus } from '../support/nexus.js';
import { hasNoStackTrace, readRefusal, REFUSAL_MS_MAX } from '../support/refusal.js';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

let nexus: Nexus;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard', user: 'secure' } });
});
afterAll(async () => {
  await nexus[Symbol.asyncDispose]();
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param whatNow done once the command has said something on stderr. */
async function runAnd(
  args: readonly string[],
  whatNow: (child: ReturnType<typeof spawn>) => void,
  closeStdout = false,
): Promise<Ended> {
  const child = spawn(process.execPath, [MAIN, '--config', nexus.configFile, ...args], {
    cwd: nexus.root,
    env: { ...nexus.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, err] = ['', ''];
  if (closeStdout) child.stdout.destroy();
  else child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
  child.stderr.on('data', (chunk: Buffer) => {
    if (err === '') whatNow(child);
    err += chunk.toString('utf8');
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), REFUSAL_MS_MAX);
  await once(child, 'close');
  clearTimeout(timer);
  return { code: child.exitCode, out, err };
}

function holdsOpen(pid: number | undefined, path: string): boolean {
  const folder = `/proc/${String(pid)}/fd`;
  try {
    return readdirSync(folder).some((fd) => readlinkSync(join(folder, fd)) === path);
  } catch {
    // A descriptor that was closed meanwhile.
    return false;
  }
}

const nothing = (): void => undefined;

describe('interrupted by SIGINT or SIGTERM', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    '`up` at its first step ends with 130 by %s and says how to go on',
    async (signal) => {
      await nexus.run('down');
      const { code, err } = await runAnd(['up'], (child) => child.kill(signal));
      expect(code, err).toBe(130);
      expect(err).toContain('Error: Interrupted.');
      expect(err).toMatch(/^Try: /m);
      hasNoStackTrace(err, 'up');
    },
  );

  it('and the next `up` goes on from there', async () => {
    await nexus.report(0, 'up');
    await nexus.report(0, 'check');
    await nexus.admin('track', 'vault', 'SET', 'kept', 'value');
    await until(async () => (await nexus.anonymous('track', 'operational', 'GET', 'kept')) === 'value', 'replication');
  });

  it('while it waits for another command: with --json that is one document, and 130', async () => {
    await using world = await nexus.world();
    const held = await world.locks.acquire('a test', nothing);
    const child = spawn(process.execPath, [MAIN, '--config', nexus.configFile, 'check', '--fix', '--json'], {
      cwd: nexus.root,
      env: { ...nexus.env },
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    let out = '';
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString('utf8')));
    const ended = once(child, 'close');
    await until(() => holdsOpen(child.pid, join(nexus.dataRoot, '.lock')), 'that it waits');
    child.kill('SIGINT');
    await ended;
    await held[Symbol.asyncDispose]();
    expect(child.exitCode, out).toBe(130);
    expect(readRefusal(out, 'check --fix').code).toBe('INTERRUPTED');
    await nexus.report(0, 'check', '--fix');
    expect(await nexus.anonymous('track', 'operational', 'GET', 'kept')).toBe('value');
  });
});

describe('a reader that goes away', () => {
  it.each([['status'], ['check'], ['check', '--json'], ['logs', 'track'], ['--help'], ['up', '--help']])(
    '%s %s ends with its own code and without a word about it',
    async (...words) => {
      const { code, err } = await runAnd(words, nothing, true);
      expect(code, err).toBe(0);
      hasNoStackTrace(err, words.join(' '));
      expect(err).not.toMatch(/EPIPE/);
    },
  );

  it('does not keep `check --fix` from its repair', async () => {
    await PROCESS_HANDS.stop(nexus, 'track', 'operational');
    const { code, err } = await runAnd(['check', '--fix'], nothing, true);
    expect(code, err).toBe(0);
    hasNoStackTrace(err, 'check --fix');
    await nexus.report(0, 'check');
  });

  it('of stderr neither', async () => {
    await PROCESS_HANDS.stop(nexus, 'track', 'operational');
    const child = spawn(process.execPath, [MAIN, '--config', nexus.configFile, 'check', '--fix'], {
      cwd: nexus.root,
      env: { ...nexus.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.destroy();
    await once(child, 'exit');
    expect(child.exitCode).toBe(0);
    await nexus.report(0, 'check');
  });
});
