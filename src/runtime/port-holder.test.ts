import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { once } from 'node:events';
import { afterEach, describe, expect, it } from 'vitest';
import { describePortHolder, findPortHolder, isListening, listenersOn, parseTcpTable } from './port-holder.js';

const servers: Server[] = [];

async function listen(host: string): Promise<number> {
  const server = createServer().listen(0, host);
  servers.push(server);
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

describe('who holds a port', () => {
  it('names the process and its command', async () => {
    const port = await listen('127.0.0.1');
    const holder = findPortHolder(port);
    expect(holder?.pid).toBe(process.pid);
    expect(describePortHolder(holder ?? { port: 0, pid: undefined, command: undefined })).toMatch(
      new RegExp(`^port ${String(port)} is held by .+ \\(process ${String(process.pid)}\\)$`),
    );
    expect(isListening(process.pid, port)).toBe(true);
    expect(isListening(process.ppid, port)).toBe(false);
  });

  it('tells addresses apart, and knows that a wildcard holds each', async () => {
    const onLoopback = await listen('127.0.0.1');
    expect(listenersOn(onLoopback, '127.0.0.1')).toHaveLength(1);
    expect(listenersOn(onLoopback, '127.0.0.2')).toHaveLength(0);
    expect(listenersOn(onLoopback, '0.0.0.0')).toHaveLength(1);
    const onAll = await listen('0.0.0.0');
    expect(listenersOn(onAll, '127.0.0.2')).toHaveLength(1);
  });

  it('says nothing of a free port, and so much of a stranger as can be known', async () => {
    const port = await listen('127.0.0.1');
    const closing = servers.pop();
    closing?.close();
    if (closing !== undefined) await once(closing, 'close');
    expect(findPortHolder(port)).toBeUndefined();
    expect(describePortHolder({ port: 6640, pid: undefined, command: undefined })).toContain('another user');
  });

  it('reads the kernel’s table', () => {
    const table = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:19F0 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4242 1 0 100 0 0 10 0
   1: 0100007F:19F0 0100007F:C001 01 00000000:00000000 00:00000000 00000000  1000        0 4243 1 0 20 4 30 10 -1
`;
    expect(parseTcpTable(table)).toEqual([
      { addressHex: '0100007F', port: 6640, listening: true, inode: '4242' },
      { addressHex: '0100007F', port: 6640, listening: false, inode: '4243' },
    ]);
  });
});
