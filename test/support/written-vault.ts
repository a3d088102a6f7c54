/**
 * A vault's data folder as a server would have written it, but as fast as a disk is, with a clock of the test's own: each
 * command has a number, and a base holds the numbers of all that came before it. So whatever is made of its files can be
 * compared with what was written until then.
 */
import { appendFile, cp, mkdir, mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseAofManifest, renderBirth } from '../../src/protocol/guard.js';
import { BIRTH_FILE, SINCE_FILE } from '../../src/protocol/layout.js';

const MANIFEST = 'appendonly.aof.manifest';

interface Era {
  readonly base: number;
  readonly writes: number[];
}

export class WrittenVault implements AsyncDisposable {
  /** Seconds since 1970. */
  now = 1_800_000_000;
  /** Every command ever, in order, with its second. */
  readonly written: { readonly id: number; readonly second: number }[] = [];
  readonly #eras: Era[] = [];
  #lastBase = 0;
  #lastWrites = 0;
  #dated = 0;
  #nextId: number;

  private constructor(
    readonly dataDir: string,
    readonly incarnation: string,
    first: number,
  ) {
    this.#nextId = first;
  }

  /** @param began what it has from before, e.g. of a restore */
  static async make(
    options: { incarnation?: string; now?: number; since?: number; before?: readonly number[] } = {},
  ): Promise<WrittenVault> {
    const dataDir = await mkdtemp(join(tmpdir(), 'nexus3-written-'));
    const incarnation = options.incarnation ?? 'aa'.repeat(16);
    const vault = new WrittenVault(dataDir, incarnation, (options.before?.at(-1) ?? 0) + 1);
    if (options.now !== undefined) vault.now = options.now;
    await mkdir(vault.folder);
    await writeFile(join(dataDir, BIRTH_FILE), renderBirth({ state: 'born', incarnation }));
    if (options.since !== undefined) {
      await writeFile(join(dataDir, SINCE_FILE), `${new Date(options.since * 1_000).toISOString()}\n`);
    }
    for (const id of options.before ?? []) vault.written.push({ id, second: 0 });
    await vault.#newEra();
    return vault;
  }

  get folder(): string {
    return join(this.dataDir, 'appendonlydir');
  }

  /** The newest file of writes. */
  get newest(): string {
    return join(this.folder, `appendonly.aof.${String(this.#lastWrites)}.incr.aof`);
  }

  /** What was there at the end of that second. */
  at(second: number): readonly number[] {
    return this.written.filter((each) => each.second <= second).map(({ id }) => id);
  }

  async write(commands = 1, { transaction = false, pad = 0 } = {}): Promise<void> {
    let text = '';
    if (this.now > this.#dated) {
      text += `#TS:${String(this.now)}\r\n`;
      this.#dated = this.now;
    }
    if (transaction) text += encode('MULTI');
    for (let some = 0; some < commands; some += 1) {
      text += encode('SET', String(this.#nextId), 'x'.repeat(pad));
      this.written.push({ id: this.#nextId, second: this.now });
      this.#nextId += 1;
    }
    if (transaction) text += encode('EXEC');
    await appendFile(this.newest, text);
  }

  /** A rewrite, with history kept. */
  rewrite(): Promise<void> {
    return this.#newEra();
  }

  async failedRewrite(): Promise<void> {
    this.#lastWrites += 1;
    this.#eras.at(-1)?.writes.push(this.#lastWrites);
    await writeFile(this.newest, '');
    await this.#writeManifest();
  }

  /** As `aof-disable-auto-gc no` does. */
  async forgetHistory(): Promise<void> {
    this.#eras.splice(0, this.#eras.length - 1);
    await this.#writeManifest();
    const named = new Set(
      parseAofManifest(await readFile(join(this.folder, MANIFEST), 'utf8'))?.map(({ file }) => file),
    );
    for (const name of await readdir(this.folder)) {
      if (name !== MANIFEST && !named.has(name)) await rm(join(this.folder, name));
    }
  }

  /** As after a power cut: the last commands are gone, each of which was written without a transaction. */
  async lose(commands: number): Promise<void> {
    let text = await readFile(this.newest, 'latin1');
    for (let lost = 0; lost < commands; lost += 1) text = text.slice(0, text.lastIndexOf('*3\r\n'));
    await truncate(this.newest, text.length);
    this.written.splice(-commands, commands);
    // Started again, it dates anew.
    this.#dated = 0;
  }

  /** As a snapshot of its disk: what puts it back to what it is now, whatever it has written since. */
  async copied(): Promise<() => Promise<void>> {
    const copy = await mkdtemp(join(tmpdir(), 'nexus3-copied-'));
    await cp(this.folder, copy, { recursive: true });
    const eras = this.#eras.map(({ base, writes }) => ({ base, writes: [...writes] }));
    const [written, lastBase, lastWrites] = [this.written.length, this.#lastBase, this.#lastWrites];
    return async () => {
      await rm(this.folder, { recursive: true });
      await cp(copy, this.folder, { recursive: true });
      await rm(copy, { recursive: true });
      this.#eras.splice(0, this.#eras.length, ...eras);
      this.written.splice(written);
      [this.#lastBase, this.#lastWrites, this.#dated] = [lastBase, lastWrites, 0];
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return rm(this.dataDir, { recursive: true, force: true });
  }

  async #newEra(): Promise<void> {
    this.#lastBase += 1;
    this.#lastWrites += 1;
    this.#eras.push({ base: this.#lastBase, writes: [this.#lastWrites] });
    const time = Buffer.alloc(5);
    time[0] = 0xc2;
    time.writeInt32LE(this.now, 1);
    const ids = this.written.map(({ id }) => id).join(' ');
    const base = Buffer.concat([
      Buffer.from('REDIS0012\xfa\x05ctime', 'latin1'),
      time,
      Buffer.from(`\xff${ids}`, 'latin1'),
    ]);
    await writeFile(join(this.folder, `appendonly.aof.${String(this.#lastBase)}.base.rdb`), base);
    await writeFile(this.newest, '');
    await this.#writeManifest();
  }

  /** In the order in which Redis 8.2.3 writes it. */
  async #writeManifest(): Promise<void> {
    const line = (kind: 'base.rdb' | 'incr.aof', seq: number, type: string): string =>
      `file appendonly.aof.${String(seq)}.${kind} seq ${String(seq)} type ${type}\n`;
    const [present, ...history] = this.#eras.toReversed();
    const lines = [
      line('base.rdb', present?.base ?? 0, 'b'),
      ...history.flatMap(({ base, writes }) => [
        ...writes.map((seq) => line('incr.aof', seq, 'h')),
        line('base.rdb', base, 'h'),
      ]),
      ...(present?.writes ?? []).map((seq) => line('incr.aof', seq, 'i')),
    ];
    await writeFile(join(this.folder, MANIFEST), lines.join(''));
  }
}

/** The numbers of all commands that an extracted `appendonlydir` holds, in order. */
export async function idsIn(folder: string): Promise<readonly number[]> {
  const manifest = parseAofManifest(await readFile(join(folder, MANIFEST), 'utf8')) ?? [];
  const ids: number[] = [];
  for (const { file, type } of manifest) {
    const text = await readFile(join(folder, file), 'latin1');
    if (type === 'b') ids.push(...words(text.slice(text.indexOf('\xff') + 1)));
    else ids.push(...[...text.matchAll(/SET\r\n\$\d+\r\n(\d+)\r\n/g)].map((match) => Number(match[1])));
  }
  return ids;
}

function words(text: string): readonly number[] {
  return text === '' ? [] : text.split(' ').map(Number);
}

function encode(...parts: readonly string[]): string {
  return `*${String(parts.length)}\r\n${parts.map((part) => `$${String(part.length)}\r\n${part}\r\n`).join('')}`;
}
