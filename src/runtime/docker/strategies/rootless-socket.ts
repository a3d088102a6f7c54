import { join } from 'node:path';
import { socketAnswer } from './socket.js';
import type { EngineStrategy } from './strategy.js';

/** The engine that a user runs without root (Docker documentation, "Rootless mode"). */
export const rootlessSocket: EngineStrategy = {
  name: 'the rootless socket',
  async find(environment, connectMs) {
    const folder = environment['XDG_RUNTIME_DIR'];
    if (folder === undefined || folder === '') return { kind: 'not-applicable', why: 'XDG_RUNTIME_DIR is not set' };
    return socketAnswer(join(folder, 'docker.sock'), connectMs);
  },
};
