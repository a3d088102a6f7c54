import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeNeverOpen } from '../support/never-open-scenarios.js';

describe('never open, on the embedded runtime', () => {
  describeNeverOpen({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS);
});
