import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { identify, isAlive, parseProcessIdentity, parseProcessStat, signalProcess } from './process-identity.js';

describe('which process is meant', () => {
  it('knows itself, again and from JSON', () => {
    const me = identify(process.pid);
    expect(me).toBeDefined();
    expect(me && isAlive(me)).toBe(true);
    expect(identify(process.pid)).toEqual(me);
    expect(parseProcessIdentity(JSON.parse(JSON.stringify(me)))).toEqual(me);
  });

  it('is not fooled by a reused pid or by a reboot', () => {
    const me = identify(process.pid);
    if (me === undefined) throw new Error('this process is not there');
    expect(isAlive({ ...me, startTicks: me.startTicks - 1 })).toBe(false);
    expect(isAlive({ ...me, bootId: '00000000-0000-4000-8000-000000000000' })).toBe(false);
    expect(signalProcess({ ...me, startTicks: me.startTicks + 1 }, 'SIGKILL')).toBe(false);
  });

  it('reads a command name with spaces and parentheses, from a real process', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'nexus3-identity-'));
    const odd = join(folder, 'a) R (b c) 1');
    await copyFile('/bin/sleep', odd);
    const child = spawn(odd, ['30'], { stdio: 'ignore' });
    try {
      await once(child, 'spawn');
      await sleep(50);
      const identity = identify(child.pid ?? 0);
      expect(identity && isAlive(identity)).toBe(true);
      expect(identity?.startTicks).toBeGreaterThan(1000);
    } finally {
      child.kill('SIGKILL');
      await rm(folder, { recursive: true });
    }
  });

  it('takes a zombie for dead', async () => {
    // The shell's child ends at once, and nobody waits for it while the shell, become `sleep`, sleeps.
    const shell = spawn('/bin/sh', ['-c', 'sleep 0.1 & echo $!; exec sleep 30'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    try {
      const [output] = (await once(shell.stdout, 'data')) as [Buffer];
      const pid = Number(output.toString());
      const before = identify(pid);
      if (before === undefined) throw new Error('the child ended too early');
      await expect.poll(() => isAlive(before), { timeout: 5000 }).toBe(false);
      expect(() => process.kill(pid, 0)).not.toThrow();
      expect(identify(pid)).toBeUndefined();
    } finally {
      shell.kill('SIGKILL');
    }
  });

  it('refuses what is not a stat line', () => {
    expect(parseProcessStat('')).toBeUndefined();
    expect(parseProcessStat('1 (init)')).toBeUndefined();
    expect(parseProcessIdentity({ pid: -1, startTicks: 1, bootId: 'x' })).toBeUndefined();
    expect(parseProcessIdentity(null)).toBeUndefined();
  });
});
