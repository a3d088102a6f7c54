import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeClientFailure } from '../support/client-failure-scenarios.js';

describe('clients while things fail, on the embedded runtime', () => {
  describeClientFailure({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS);
});
