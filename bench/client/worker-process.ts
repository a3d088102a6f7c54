/** A worker, as the bench holds it. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Contender, Done, Footprint, Job, Reply, Request } from './job.js';

const PROGRAM = fileURLToPath(new URL('worker.js', import.meta.url));
const REPLY_TIMEOUT_MS = 120_000;
const END_TIMEOUT_MS = 5_000;

export class Worker implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(execArgv: readonly string[]) {
    const { PATH, HOME } = process.env;
    this.#child = fork(PROGRAM, { execArgv: ['--expose-gc', ...execArgv], env: { PATH, HOME } });
    this.#ended = once(this.#child, 'exit');
  }

  static async open(contender: Contender): Promise<Worker> {
    const worker = Worker.start();
    await worker.connect(contender);
    return worker;
  }

  /** Without a client yet. `$NEXUS3_BENCH_NODE_ARGS`, such as `--cpu-prof --cpu-prof-dir=DIR`, is for whoever looks for costs. */
  static start(): Worker {
    return new Worker((process.env['NEXUS3_BENCH_NODE_ARGS'] ?? '').split(' ').filter((word) => word !== ''));
  }

  async connect(contender: Contender): Promise<void> {
    await this.#ask({ kind: 'open', contender });
  }

  async work(job: Job): Promise<Done> {
    const reply = await this.#ask({ kind: 'work', job });
    if (reply.kind !== 'done') throw new Error(`a worker answered ${reply.kind} to its work`);
    return reply.done;
  }

  async footprint(): Promise<Footprint> {
    const reply = await this.#ask({ kind: 'footprint' });
    if (reply.kind !== 'footprint') throw new Error(`a worker answered ${reply.kind} to a question of its footprint`);
    return reply.footprint;
  }

  async #ask(request: Request): Promise<Reply> {
    const signal = AbortSignal.timeout(REPLY_TIMEOUT_MS);
    const answered = once(this.#child, 'message', { signal }) as Promise<[Reply]>;
    this.#child.send(request);
    const [reply] = await Promise.race([
      answered,
      this.#ended.then((): [Reply] => [{ kind: 'error', error: 'the worker ended' }]),
    ]);
    if (reply.kind === 'error') throw new Error(reply.error);
    return reply;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.connected) this.#child.disconnect();
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), END_TIMEOUT_MS);
    await this.#ended;
    clearTimeout(timer);
  }
}
