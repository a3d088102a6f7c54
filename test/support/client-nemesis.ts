/** What befalls an environment while clients work on it: each fault, the repair, and the proof that all is well again. */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Role } from '../../src/protocol/environment.js';
import type { Hands } from './break.js';
import { until } from './break.js';
import type { HistoryRecorder } from './client-history.js';
import type { Nexus } from './nexus.js';

export const FAULTS = [
  'kill the operational',
  'kill the vault',
  'pause the operational',
  'pause the vault',
  'cut all connections to the operational',
  'cut all connections to the vault',
  'rotate all passwords',
  'refill the operational',
] as const;
export type Fault = (typeof FAULTS)[number];

/** A vault that was started reads all that was ever written to it, the longer the later it is killed. */
const ANSWER_MAX_MS = 180_000;

/** A fault that was made, in milliseconds of the history's clock. */
export interface Strike {
  readonly fault: Fault;
  readonly fromMs: number;
  /** It was undone, and seen to answer. */
  readonly mendedMs: number;
  /** All was healthy, and clients had been left alone for a while. */
  readonly untilMs: number;
}

export interface NemesisOptions {
  readonly env: string;
  readonly hands: Hands;
  /** How long a killed or paused one stays so, in milliseconds. */
  readonly holdMs: number;
  /** After each fault, once all is healthy: how long clients may take to come back, and how long they are left alone then. */
  readonly returnMaxMs: number;
  readonly calmMs: number;
}

export class Nemesis {
  readonly strikes: Strike[] = [];

  constructor(
    readonly nexus: Nexus,
    readonly recorder: HistoryRecorder,
    readonly options: NemesisOptions,
  ) {}

  /** Does it, undoes it, waits until all is healthy, and leaves the clients alone for a while. */
  async strike(fault: Fault): Promise<void> {
    const fromMs = this.recorder.now();
    await this.#strike(fault);
    const mendedMs = this.recorder.now();
    await this.calm();
    this.strikes.push({ fault, fromMs, mendedMs, untilMs: this.recorder.now() });
  }

  async calm(): Promise<void> {
    const { env, returnMaxMs, calmMs } = this.options;
    await until(async () => (await this.nexus.findings(env)).length === 0, `${env} healthy`);
    await sleep(returnMaxMs);
    const fromMs = this.recorder.now();
    await sleep(calmMs);
    this.recorder.calm.push({ fromMs, untilMs: this.recorder.now() });
  }

  async #strike(fault: Fault): Promise<void> {
    switch (fault) {
      case 'kill the operational':
        return this.#kill('operational');
      case 'kill the vault':
        return this.#kill('vault');
      case 'pause the operational':
        return this.#pause('operational');
      case 'pause the vault':
        return this.#pause('vault');
      case 'cut all connections to the operational':
        return this.#cut('operational');
      case 'cut all connections to the vault':
        return this.#cut('vault');
      case 'rotate all passwords':
        // With new passwords nothing happens to a connection that is open: they are cut, so that clients log in anew.
        await this.#run('rotate', '--all', '--grace', '1');
        return this.#cut('vault');
      case 'refill the operational':
        return this.#refill();
    }
  }

  async #kill(role: Role): Promise<void> {
    const { env, hands, holdMs } = this.options;
    await this.away(role, 'killed', async (mends) => {
      await hands.kill(this.nexus, env, role);
      await sleep(holdMs);
      mends();
      await hands.start(this.nexus, env, role);
    });
  }

  async #pause(role: Role): Promise<void> {
    const { env, hands, holdMs } = this.options;
    await this.away(role, 'paused', async (mends) => {
      await hands.freeze(this.nexus, env, role);
      await sleep(holdMs);
      mends();
      await hands.thaw(this.nexus, env, role);
    });
  }

  async #cut(role: Role): Promise<void> {
    await this.away(role, 'cut', async () => {
      await this.nexus.admin(this.options.env, role, 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    });
  }

  async #refill(): Promise<void> {
    await this.away('operational', 'refilled', () => this.#run('recover', this.options.env, '--yes'));
  }

  async #run(...args: readonly string[]): Promise<void> {
    const { code, out, err } = await this.nexus.run(...args);
    expect(code, `nexus3 ${args.join(' ')}\n${out}\n${err}`).toBe(0);
  }

  /** Records that this one could not answer from before `what` until it was seen to answer after it; `what` says when it begins to mend it. */
  async away(role: Role, why: string, what: (mends: () => void) => Promise<void>): Promise<void> {
    const fromMs = this.recorder.now();
    let mendsMs: number | undefined;
    await what(() => {
      mendsMs = this.recorder.now();
    });
    const isAnswering = async (): Promise<boolean> => {
      const askedMs = this.recorder.now();
      const answer = await this.#ping(role);
      // As long as it reads its data it answers nobody, and hands nothing on.
      if (answer === 'loading') mendsMs = askedMs;
      return answer === 'pong';
    };
    await until(isAnswering, `an answer of the ${role}`, ANSWER_MAX_MS);
    this.recorder.away.push({ role, why, fromMs, mendsMs, untilMs: this.recorder.now() });
  }

  /** As the administrator: to whoever is not logged in, a vault that still reads its data says the same as one that is ready. */
  async #ping(role: Role): Promise<'pong' | 'loading' | 'none'> {
    try {
      return (await this.nexus.admin(this.options.env, role, 'PING')) === 'PONG' ? 'pong' : 'none';
    } catch (error) {
      return error instanceof Error && /: LOADING /.test(error.message) ? 'loading' : 'none';
    }
  }
}
