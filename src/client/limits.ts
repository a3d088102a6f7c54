/** How much a client may take, and how long: what was given, checked, and the defaults. */
import { Nexus3Error } from '../errors.js';
import type { ClientOptions } from './environment-client.js';

const DEFAULTS = {
  readYourWritesMaxMs: 250,
  lagBytesMax: 1_048_576,
  vaultWaitMaxMs: 1_000,
  watchIntervalMs: 500,
  silenceMaxMs: 1_000,
  commandsMax: 10_000,
} as const;
const SYNCED_MAX_MS = 5_000;
/** How many questions of the client’s own may be under way besides. */
const OWN_COMMANDS_MAX = 16;

/** A timer of Node.js that is to wait for longer fires at once, as does one that is given no number. */
const TIMER_MAX_MS = 2_147_483_647;
/** The least and the most of each. */
const BOUNDS = {
  readYourWritesMaxMs: [0, TIMER_MAX_MS],
  lagBytesMax: [0, Infinity],
  vaultWaitMaxMs: [0, TIMER_MAX_MS],
  watchIntervalMs: [1, TIMER_MAX_MS],
  silenceMaxMs: [1, TIMER_MAX_MS],
  commandsMax: [1, Infinity],
  timeoutMs: [0, TIMER_MAX_MS],
} as const;

export type Limits = Readonly<Record<keyof typeof DEFAULTS | 'queueMax', number>>;

/** @param configured from nexus3.yaml @throws Nexus3Error USAGE */
export function limitsOf(options: ClientOptions, configured: Pick<ClientOptions, 'lagBytesMax'>): Limits {
  const names = Object.keys(DEFAULTS) as (keyof typeof DEFAULTS)[];
  const limits = Object.fromEntries(
    names.map((name) => [
      name,
      within(name, options[name] ?? (name === 'lagBytesMax' ? configured[name] : undefined) ?? DEFAULTS[name]),
    ]),
  ) as Record<keyof typeof DEFAULTS, number>;
  // What the client itself asks behind a write needs room as well.
  const factor = options.readYourWrites === true ? 2 : 1;
  return { ...limits, queueMax: limits.commandsMax * factor + OWN_COMMANDS_MAX };
}

/** How long `synced` waits. @throws Nexus3Error USAGE */
export function syncedMaxMs(timeoutMs: number | undefined): number {
  return within('timeoutMs', timeoutMs ?? SYNCED_MAX_MS);
}

function within(name: keyof typeof BOUNDS, value: number): number {
  const [least, most] = BOUNDS[name];
  if (value >= least && value <= most) return value;
  throw new Nexus3Error('USAGE', `${name} cannot be ${String(value)}.`, {
    hint: most === Infinity ? `Give at least ${String(least)}.` : `Give between ${String(least)} and ${String(most)}.`,
  });
}
