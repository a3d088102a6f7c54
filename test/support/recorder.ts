/** Writes to a server and keeps, apart from it, what it must hold at the end of each second. */
import { isList, textOf } from '../../src/redis/replies.js';
import type { AofServer } from './aof-server.js';
import { steadySecond } from './aof-server.js';

type Content = Readonly<Record<string, string>>;

export class Recorder {
  readonly #server: AofServer;
  #content: Content = {};
  readonly #atEndOf = new Map<number, Content>();

  constructor(server: AofServer) {
    this.#server = server;
  }

  /** @param change what the commands make of the content @returns the second, as the server dates it */
  async write(commands: readonly (readonly string[])[], change: (content: Content) => Content): Promise<number> {
    await steadySecond(this.#server);
    const replies = await this.#server.pipeline([['TIME'], ...commands, ['TIME']]);
    const [began, ended] = [replies[0], replies.at(-1)].map((reply) =>
      isList(reply ?? null) ? Number(textOf((reply as readonly never[])[0])) : -1,
    );
    if (began === undefined || began !== ended) throw new Error('the machine is too slow to say which second it was');
    this.#content = change(this.#content);
    this.#atEndOf.set(began, this.#content);
    return began;
  }

  set(key: string, value: string): Promise<number> {
    return this.write([['SET', key, value]], (content) => ({ ...content, [key]: value }));
  }

  /** At the end of that second. */
  at(second: number): Content {
    const last = Math.max(...[...this.#atEndOf.keys()].filter((each) => each <= second));
    return this.#atEndOf.get(last) ?? {};
  }

  get seconds(): readonly number[] {
    return [...this.#atEndOf.keys()].sort((a, b) => a - b);
  }
}
