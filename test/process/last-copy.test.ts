import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeLastCopy } from '../support/last-copy-scenarios.js';

describe('the last copy, on the embedded runtime', () => {
  describeLastCopy({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS);
});
