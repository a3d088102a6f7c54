/** Seeded chance, so that a failure can be had again: the seed is printed, and taken from $NEXUS3_SEED. */

/** Set by the test command; without one, today's chance. */
export const SEED = Number(process.env['NEXUS3_SEED'] ?? Math.floor(Math.random() * 2 ** 31));

/** With `npm run soak`. */
export const IS_SOAK = process.env['NEXUS3_SOAK'] === '1';

/** More rounds of the same, in a soak. */
export function rounds(inCi: number, inSoak: number): number {
  return IS_SOAK ? inSoak : inCi;
}

/**
 * The instant of one round of several, as a share of how long a command usually takes: each round has a part of it to
 * itself, so that also a few rounds reach all of it.
 * @param round from 0 on @param from the share before it is Node starting
 */
export function instant(random: () => number, round: number, rounds: number, from: number): number {
  return from + ((1 - from) * (round + random())) / rounds;
}

/** mulberry32, public domain: numbers in [0, 1) that depend on the seed only. */
export function chance(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
