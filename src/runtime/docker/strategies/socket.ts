/** What a socket file is good for, found out by connecting to it. */
import { createConnection } from 'node:net';
import { systemErrorCode } from '../../../errors.js';
import type { StrategyAnswer } from './strategy.js';

/** `sun_path` of unix(7) has 108 bytes, the last of them zero. */
const SOCKET_PATH_BYTES_MAX = 107;

export async function socketAnswer(socketPath: string, connectMs: number): Promise<StrategyAnswer> {
  if (Buffer.byteLength(socketPath) > SOCKET_PATH_BYTES_MAX) {
    const why = `${socketPath} is longer than the ${String(SOCKET_PATH_BYTES_MAX)} bytes a socket path may have`;
    return { kind: 'unusable', why, hint: 'Give the engine a socket with a shorter path.' };
  }
  const failure = await connect(socketPath, connectMs);
  switch (failure) {
    case undefined:
      return { kind: 'socket', socketPath };
    case 'ENOENT':
    case 'ENOTDIR':
      return { kind: 'not-applicable', why: `there is no ${socketPath}` };
    case 'EACCES':
    case 'EPERM':
      return { kind: 'not-applicable', why: `permission denied on ${socketPath}` };
    case 'ECONNREFUSED':
    case 'ENOTSOCK':
      return { kind: 'unusable', why: `nothing listens on ${socketPath} (${failure})`, hint: START_IT };
    default:
      return { kind: 'unusable', why: `${socketPath}: ${failure}`, hint: START_IT };
  }
}

const START_IT = 'Start the engine (sudo systemctl start docker), then run the command again.';

/** The code of what went wrong; undefined when it accepts connections. */
async function connect(socketPath: string, connectMs: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createConnection(socketPath);
    const end = (failure: string | undefined): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(failure);
    };
    const timer = setTimeout(() => {
      end(`no connection within ${String(connectMs / 1000)} s`);
    }, connectMs);
    socket.once('connect', () => {
      end(undefined);
    });
    socket.once('error', (error) => {
      end(systemErrorCode(error) ?? error.message);
    });
  });
}
