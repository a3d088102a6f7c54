/** A redis-server without nexus3, with the same module: for what a person would do by hand. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testEngine } from '../../test/support/engine.js';
import { textOf, Wire } from '../../test/support/data-set/wire.js';
import { freePorts } from '../ports.js';
import { timeUntil } from './wait.js';

export interface BareOptions {
  /** Is made, and is gone afterwards; what it holds already is loaded. */
  readonly dir: string;
  /** Lines of redis.conf. */
  readonly lines: readonly string[];
  /** In INFO, once it is what is waited for. */
  readonly ready: RegExp;
}

/** From its start until INFO says so; it is ended then. */
export async function timeBareServer({ dir, lines, ready }: BareOptions): Promise<number> {
  const engine = await testEngine();
  await mkdir(dir, { recursive: true });
  const port = await freePorts(1);
  const module = engine.modulePath === undefined ? [] : [`loadmodule ${engine.modulePath}`];
  const conf = join(dir, 'bare.conf');
  const text = [`port ${String(port)}`, 'bind 127.0.0.1', `dir ${dir}`, 'save ""', ...module, ...lines].join('\n');
  await writeFile(conf, text, { mode: 0o600 });
  const began = performance.now();
  const [program, ...args] = [...engine.command, conf];
  const child = spawn(program, args, { stdio: 'ignore' });
  const ended = once(child, 'exit');
  try {
    await Promise.race([
      timeUntil(() => says(port, ready), 'the bare server'),
      ended.then(() => Promise.reject(new Error(`the bare server ended with ${String(child.exitCode)}`))),
    ]);
    return performance.now() - began;
  } finally {
    child.kill('SIGKILL');
    await ended;
    await rm(dir, { recursive: true, force: true });
  }
}

async function says(port: number, ready: RegExp): Promise<boolean> {
  await using wire = await Wire.open({ socket: { host: '127.0.0.1', port } });
  return ready.test(textOf(await wire.ask('INFO')));
}
