import type { ServerContext } from '@modelcontextprotocol/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CallProgress } from './call-progress.js';

type McpReq = ServerContext['mcpReq'];

/** What of a request the progress needs. */
function request(progressToken: string | undefined, signal = new AbortController().signal) {
  const sent: { progress: number; message: string }[] = [];
  const mcpReq = {
    _meta: progressToken === undefined ? {} : { progressToken },
    signal,
    notify: ({ params }: { params: { progress: number; message: string } }) => {
      sent.push({ progress: params.progress, message: params.message });
      return Promise.reject(new Error('nobody listens'));
    },
  } as unknown as McpReq;
  return { sent, mcpReq };
}

describe('progress of a call', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('a thousand steps in a row are a few notifications: the first, and the last', () => {
    const { sent, mcpReq } = request('token');
    using progress = new CallProgress(mcpReq);
    for (let step = 1; step <= 1_000; step += 1) progress.step(`step ${String(step)}`);
    vi.advanceTimersByTime(1_000);
    expect(sent).toEqual([
      { progress: 1, message: 'step 1' },
      { progress: 2, message: 'step 1000' },
    ]);
  });

  it('is told that there is still work, and always more of it', () => {
    const { sent, mcpReq } = request('token');
    const progress = new CallProgress(mcpReq);
    progress.step('wait');
    vi.advanceTimersByTime(15_000);
    expect(sent.map((one) => one.progress)).toEqual([1, 2, 3, 4]);
    progress[Symbol.dispose]();
    vi.advanceTimersByTime(60_000);
    expect(sent).toHaveLength(4);
  });

  it('is not told to who did not ask, nor to who has gone away', () => {
    const unasked = request(undefined);
    const gone = request('token', AbortSignal.abort());
    for (const { mcpReq } of [unasked, gone]) {
      using progress = new CallProgress(mcpReq);
      progress.step('x');
      vi.advanceTimersByTime(15_000);
    }
    expect([...unasked.sent, ...gone.sent]).toEqual([]);
  });

  it('a text is no longer than a line', () => {
    const { sent, mcpReq } = request('token');
    using progress = new CallProgress(mcpReq);
    progress.note('x'.repeat(10_000));
    expect(sent[0]?.message.length).toBeLessThan(1_000);
  });
});
