/** A replication link that is slow: a proxy between vault and operational that keeps what the vault sends for a while. */
import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { hostAddress } from '../../src/reconcile/access.js';
import { until } from './break.js';
import type { Nexus } from './nexus.js';

export interface SlowLink extends AsyncDisposable {
  /** How long what the vault sends is kept, in milliseconds; may be changed at any time, for what comes from then on. */
  delayMs: number;
}

/** Of the embedded runtime: the operational must reach a port of this process. At the end it is linked as before. */
export async function slowLink(nexus: Nexus, env: string, delayMs: number): Promise<SlowLink> {
  const vault = hostAddress(await nexus.spec(env, 'vault'));
  const link = { delayMs };
  const sockets = new Set<Socket>();
  const server = createServer((replica) => {
    const master = connect(vault);
    for (const [one, other] of [
      [replica, master],
      [master, replica],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
    replica.pipe(master);
    // One after the other: timers of their own may ring in another order, and would mix up the stream, whose length alone a
    // replica goes by.
    let before: Promise<unknown> = Promise.resolve();
    master.on('data', (chunk) => {
      const dueAt = performance.now() + link.delayMs;
      before = before.then(async () => {
        await sleep(Math.max(0, dueAt - performance.now()));
        replica.write(chunk);
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  await replicate(nexus, env, '127.0.0.1', port);
  return Object.assign(link, {
    [Symbol.asyncDispose]: async () => {
      await replicate(nexus, env, vault.host, vault.port);
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  });
}

async function replicate(nexus: Nexus, env: string, host: string, port: number): Promise<void> {
  await nexus.admin(env, 'operational', 'REPLICAOF', host, String(port));
  const info = async (): Promise<string> => String(await nexus.anonymous(env, 'operational', 'INFO', 'replication'));
  await until(async () => /master_link_status:up/.test(await info()), 'the link');
}
