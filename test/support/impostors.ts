/** Listeners that are not what they stand in for: they misbehave on a port, or on a socket file, of the test's choice. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

export type Behaviour = readonly [string, (socket: Socket) => void];

export const BEHAVIOURS: readonly Behaviour[] = [
  ['hangs up at once', (socket) => socket.destroy()],
  ['answers in another protocol', (socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')],
  ['answers with noise', (socket) => socket.write(Buffer.from('\u0000\u001b[2J\u00ff'.repeat(200), 'latin1'))],
  ['says that everything is fine, whatever it is asked', (socket) => endlessly(socket, '+OK\r\n')],
];

/** Every question to one of these takes its whole bound, so they are asked less often. */
export const SILENT: Behaviour = ['never says a word', () => undefined];
export const SLOW: readonly Behaviour[] = [
  ['drips an answer without end', (socket) => endlessly(socket, '$')],
  ['promises more than it sends', (socket) => socket.write('$999999\r\n')],
];

function endlessly(socket: Socket, text: string): void {
  const timer = setInterval(() => socket.write(text), 20);
  socket.on('close', () => {
    clearInterval(timer);
  });
}

const sockets = new Set<Socket>();

export async function listen(where: number | string, behave: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    behave(socket);
  });
  server.listen(typeof where === 'number' ? { port: where, host: '127.0.0.1' } : where);
  await once(server, 'listening');
  return server;
}

export async function end(server: Server): Promise<void> {
  for (const socket of sockets) socket.destroy();
  sockets.clear();
  server.close();
  await once(server, 'close');
}
