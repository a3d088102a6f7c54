import { describe } from 'vitest';
import { describeTokens } from '../support/token-scenarios.js';

/** Whoever waits for Locker’s disk does not wait a second each time. */
const yaml = 'settings: { appendfsync: always }';

describe('tokens, on the embedded runtime', () => {
  describeTokens({ runtime: 'process', environments: { track: 'standard', user: 'secure' }, yaml });
});
