/** Free ports in a row, above those that the tests use and below those that the kernel gives to outgoing connections. */
import { createServer } from 'node:net';

const FIRST_PORT = 32_000;
/** Linux gives 32768 and up to outgoing connections, of which a bench makes thousands. */
const LAST_PORT = 32_767;

/** The first of `count` free ports; even. */
export async function freePorts(count: number): Promise<number> {
  let base = FIRST_PORT;
  for (let port = base; port <= LAST_PORT; port += 1) {
    if (!(await canListen(port))) base = port + 1 + ((port + 1) % 2);
    else if (port - base + 1 >= count) return base;
  }
  throw new Error(`no ${String(count)} free ports in a row between ${String(FIRST_PORT)} and ${String(LAST_PORT)}`);
}

async function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, () => server.close(() => resolve(true)));
  });
}
