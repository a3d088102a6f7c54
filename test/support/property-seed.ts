/**
 * Properties are tried with the seed of the run (`npm test` sets and prints NEXUS3_SEED), so that a failure in CI can be
 * repeated. Without one, fast-check takes a new seed and prints it with a failure.
 */
import fc from 'fast-check';

const SOAK_FACTOR = 20;
const seed = process.env['NEXUS3_SEED'];

fc.configureGlobal({
  ...(seed === undefined ? {} : { seed: Number(seed) }),
  ...(process.env['NEXUS3_SOAK'] === '1' ? { numRuns: 100 * SOAK_FACTOR } : {}),
});
