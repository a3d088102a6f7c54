import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeFindings } from '../support/finding-scenarios.js';

describe('every finding, on the embedded runtime', () => {
  describeFindings({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS);
});
