import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeRestore } from '../support/restore-scenarios.js';

describe('restore, on the embedded runtime', () => {
  describeRestore({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS);
});
