import { describe, expect, it } from 'vitest';
import { failureOf } from '../../test/support/failure.js';
import { CallGate } from './call-gate.js';

describe('calls', () => {
  it('run so many at a time, wait so many, and the next one is told', async () => {
    const gate = new CallGate({ atOnceMax: 2, waitingMax: 3, waitMaxMs: 10_000 });
    let running = 0;
    let most = 0;
    const ends: (() => void)[] = [];
    const work = async (): Promise<void> => {
      running += 1;
      most = Math.max(most, running);
      await new Promise<void>((resolve) => ends.push(resolve));
      running -= 1;
    };
    const calls = Array.from({ length: 5 }, () => gate.run(work, undefined));
    expect((await failureOf(gate.run(work, undefined))).code).toBe('BUSY');
    for (let ended = 0; ended < 5; ended += 1) {
      await expect.poll(() => ends.length).toBeGreaterThan(0);
      ends.shift()?.();
    }
    await Promise.all(calls);
    expect(most).toBe(2);
    await expect(gate.run(async () => 'free', undefined)).resolves.toBe('free');
  });

  it('leave the queue when they are cancelled, or have waited for too long', async () => {
    const gate = new CallGate({ atOnceMax: 1, waitingMax: 9, waitMaxMs: 20 });
    let end: (() => void) | undefined;
    const first = gate.run(() => new Promise<void>((resolve) => (end = resolve)), undefined);
    const cancel = new AbortController();
    const cancelled = gate.run(async () => 'never', cancel.signal);
    cancel.abort();
    await expect(cancelled).rejects.toThrow();
    expect((await failureOf(gate.run(async () => 'never', undefined))).evidence[0]).toContain('waited');
    end?.();
    await first;
    await expect(gate.run(async () => 'next', undefined)).resolves.toBe('next');
    const failing = gate.run(() => Promise.reject(new Error('its own')), undefined);
    await expect(failing).rejects.toThrow('its own');
    await expect(gate.run(async () => 'next', undefined)).resolves.toBe('next');
  });
});
