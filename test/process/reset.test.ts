import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeReset } from '../support/reset-scenarios.js';

describe('locker reset, on the embedded runtime', () => {
  describeReset({ runtime: 'process', environments: { track: 'standard', user: 'secure' } }, PROCESS_HANDS, {
    inCi: 3,
    inSoak: 50,
  });
});
