import { socketAnswer } from './socket.js';
import type { EngineStrategy } from './strategy.js';

export const DEFAULT_SOCKET = '/var/run/docker.sock';

/** The engine that the system runs for everybody. */
export const defaultSocket: EngineStrategy = {
  name: 'the default socket',
  find: (_environment, connectMs) => socketAnswer(DEFAULT_SOCKET, connectMs),
};
