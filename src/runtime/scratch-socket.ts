/** A way to a socket that a client can use, however long the path of its folder is. */
import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { SCRATCH_FILE } from './runtime.js';

/** Of `sun_path`, without its end (unix(7)). */
const SOCKET_PATH_BYTES_MAX = 107;

export interface SocketWay extends AsyncDisposable {
  readonly path: string;
}

/** A longer one leads through the folder, held open until this is disposed of. */
export async function wayToSocket(dir: string): Promise<SocketWay> {
  const path = join(dir, SCRATCH_FILE.socket);
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) {
    return { path, [Symbol.asyncDispose]: () => Promise.resolve() };
  }
  const folder: FileHandle = await open(dir, 'r');
  return {
    path: `/proc/self/fd/${String(folder.fd)}/${SCRATCH_FILE.socket}`,
    [Symbol.asyncDispose]: () => folder.close(),
  };
}
