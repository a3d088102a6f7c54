import { PassThrough, Writable } from 'node:stream';
import { setImmediate as turn, setTimeout as pause } from 'node:timers/promises';
import type { JSONRPCMessage } from '@modelcontextprotocol/server';
import { describe, expect, it } from 'vitest';
import { StdioTransport } from './stdio-transport.js';

const line = (id: number | string): string => `${JSON.stringify({ jsonrpc: '2.0', id, method: 'ping' })}\n`;

/** What the client does not read, it does not take either. */
class Client extends Writable {
  readonly lines: string[] = [];
  reads = true;
  #go: (() => void) | undefined;

  constructor() {
    super({ highWaterMark: 100, decodeStrings: false });
  }

  override _write(chunk: string, _encoding: BufferEncoding, done: () => void): void {
    this.lines.push(chunk);
    if (this.reads) done();
    else this.#go = done;
  }

  readOn(): void {
    this.reads = true;
    this.#go?.();
  }
}

async function started({ stdin = new PassThrough(), bytesMax = 1_000 } = {}) {
  const client = new Client();
  const [ids, errors, tooLong]: [unknown[], Error[], number[]] = [[], [], []];
  const transport = new StdioTransport({ stdin, stdout: client, bytesMax, onTooLong: (bytes) => tooLong.push(bytes) });
  let closed = 0;
  const onMessage: { do?: (message: JSONRPCMessage) => void } = {};
  transport.onmessage = (message) => {
    ids.push('id' in message ? message.id : message);
    onMessage.do?.(message);
  };
  transport.onerror = (error) => errors.push(error);
  transport.onclose = () => (closed += 1);
  await transport.start();
  return { stdin, client, transport, ids, errors, tooLong, onMessage, closed: () => closed };
}

const settled = async (): Promise<void> => {
  for (let turns = 0; turns < 20; turns += 1) await turn();
};

describe('messages over standard input', () => {
  it('arrive whole, in order, however they are cut', async () => {
    const { stdin, ids } = await started();
    const text = line(1) + line('two').replace('\n', '\r\n') + line(3);
    for (let at = 0; at < text.length; at += 7) {
      stdin.write(text.slice(at, at + 7));
      await turn();
    }
    await settled();
    expect(ids).toEqual([1, 'two', 3]);
  });

  it('are handed on at once when they come alone, and one a turn when many come together', async () => {
    const { stdin, ids } = await started();
    stdin.emit('data', Buffer.from(line(1)));
    expect(ids).toEqual([1]);
    await turn();
    stdin.emit('data', Buffer.from(Array.from({ length: 50 }, (_, i) => line(i)).join('')));
    expect(ids).toEqual([1, 0]);
    const seen: number[] = [];
    while (ids.length < 51) {
      const before = ids.length;
      await turn();
      seen.push(ids.length - before);
    }
    expect(Math.max(...seen)).toBe(1);
    expect(ids).toEqual([1, ...Array.from({ length: 50 }, (_, i) => i)]);
  });

  it('are one a turn also where each comes in a chunk of its own', async () => {
    const stdin = new PassThrough();
    for (let i = 0; i < 10; i += 1) stdin.write(line(i));
    const { ids } = await started({ stdin });
    const seen: number[] = [];
    while (ids.length < 10) {
      const before = ids.length;
      await turn();
      seen.push(ids.length - before);
    }
    expect(Math.max(...seen)).toBe(1);
    expect(ids).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('that are none are passed over: no JSON in silence, no message of the protocol with a word', async () => {
    const { stdin, ids, errors, closed } = await started();
    stdin.write('hello?\n\n\r\n{"jsonrpc":"2.0"\n');
    stdin.write(line(1));
    await settled();
    expect(errors).toEqual([]);
    stdin.write('[]\nnull\n{"jsonrpc":"1.0","id":2,"method":"ping"}\n{"jsonrpc":"2.0","id":{},"method":"ping"}\n');
    stdin.write(Buffer.from([0xff, 0xfe, 0x0a]));
    stdin.write(line(3));
    await settled();
    expect(errors).toHaveLength(4);
    expect(ids).toEqual([1, 3]);
    expect(closed()).toBe(0);
  });

  it('that are too long are passed over and told', async () => {
    const { stdin, ids, tooLong } = await started({ bytesMax: 100 });
    stdin.write('x'.repeat(90));
    stdin.write(`${'x'.repeat(90)}\n${line(1)}${'y'.repeat(200)}\n${line(2)}`);
    await settled();
    expect(ids).toEqual([1, 2]);
    expect(tooLong).toEqual([181, 201]);
  });

  it('go on when one could not be dealt with', async () => {
    const { stdin, ids, errors, onMessage } = await started();
    onMessage.do = () => {
      throw new Error('no');
    };
    stdin.write(line(1) + line(2));
    await settled();
    expect(ids).toEqual([1, 2]);
    expect(errors.map(({ message }) => message)).toEqual(['no', 'no']);
  });

  it('may be taken before they are looked at', async () => {
    const stdin = new PassThrough();
    const [taken, ids]: [unknown[], unknown[]] = [[], []];
    const divert = (value: unknown): boolean => taken.push(value) === 1;
    const transport = new StdioTransport({ stdin, stdout: new Client(), onTooLong: () => undefined, divert });
    transport.onmessage = (message) => ids.push('id' in message && message.id);
    await transport.start();
    stdin.write('{"not":"checked"}\n' + line(2));
    await settled();
    expect(taken).toEqual([{ not: 'checked' }, { jsonrpc: '2.0', id: 2, method: 'ping' }]);
    expect(ids).toEqual([2]);
  });
});

describe('a client that does not read', () => {
  it('is not read from any more, and is when it reads again', async () => {
    const { stdin, client, transport, ids, onMessage } = await started();
    client.reads = false;
    onMessage.do = () => {
      transport.send({ jsonrpc: '2.0', id: 0, result: { long: 'x'.repeat(200) } }).catch(() => undefined);
    };
    const many = Array.from({ length: 100 }, (_, i) => line(i)).join('');
    let taken = 0;
    while (stdin.write(many) && taken < 1_000) {
      taken += 1;
      await settled();
    }
    await pause(20);
    expect(ids).toEqual([0]);
    expect(taken).toBeLessThan(20);
    // No listener for each that waits.
    expect(client.listenerCount('drain') + client.listenerCount('error')).toBeLessThan(5);
    onMessage.do = () => undefined;
    client.readOn();
    await expect.poll(() => ids.length).toBe(100 * (taken + 1));
  });

  it('keeps nobody from ending', async () => {
    const { stdin, client, transport, ids, onMessage, closed } = await started();
    client.reads = false;
    onMessage.do = () => transport.writeLine('x'.repeat(200));
    stdin.write(line(1) + line(2) + line(3));
    await settled();
    await transport.close();
    expect(closed()).toBe(1);
    client.readOn();
    await settled();
    expect(ids).toEqual([1]);
    await expect(transport.send({ jsonrpc: '2.0', id: 1, result: {} })).rejects.toThrow('closed');
    transport.writeLine('late');
    expect(client.lines).not.toContain('late\n');
  });
});

describe('the end', () => {
  it('comes with that of standard input, when all whole lines have been handed on', async () => {
    const { stdin, ids, closed } = await started();
    stdin.end(line(1) + line(2) + line(3) + '{"jsonrpc":"2.0","id":4,"method":"ping"}');
    await expect.poll(closed).toBe(1);
    expect(ids).toEqual([1, 2, 3]);
  });

  it('is not waited for by what is answered at once', async () => {
    const { stdin, client, transport, onMessage, closed } = await started();
    onMessage.do = () => {
      Promise.resolve()
        .then(() => transport.send({ jsonrpc: '2.0', id: 1, result: {} }))
        .catch(() => undefined);
    };
    stdin.end(line(1) + line(2));
    await expect.poll(closed).toBe(1);
    expect(client.lines).toHaveLength(2);
  });

  it('comes also where the client has never read, and has said more', async () => {
    const { stdin, client, transport, ids, onMessage, closed } = await started();
    client.reads = false;
    onMessage.do = () => transport.writeLine('x'.repeat(200));
    stdin.end(line(1) + line(2) + line(3));
    await expect.poll(closed).toBe(1);
    expect(ids).toEqual([1]);
  });

  it('comes at once where standard input has ended before', async () => {
    const stdin = new PassThrough();
    stdin.resume().end();
    await settled();
    const { closed } = await started({ stdin });
    await expect.poll(closed).toBe(1);
  });

  it.each(['stdin', 'client'] as const)(
    'comes when %s breaks, with a word, and late errors are borne',
    async (which) => {
      const made = await started();
      made[which].destroy(new Error('EPIPE'));
      await expect.poll(made.closed).toBe(1);
      expect(made.errors.map(({ message }) => message)).toEqual(['EPIPE']);
      made.client.emit('error', new Error('late'));
      made.stdin.emit('error', new Error('late'));
      expect(made.errors).toHaveLength(1);
    },
  );

  it('in the middle of a chunk leaves the rest of it', async () => {
    const { stdin, transport, ids, onMessage, closed } = await started();
    onMessage.do = () => {
      transport.close().catch(() => undefined);
    };
    stdin.write(line(1) + line(2));
    await settled();
    expect(ids).toEqual([1]);
    expect(closed()).toBe(1);
  });
});
