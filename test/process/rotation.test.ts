import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeRotation } from '../support/rotation-scenarios.js';

describe('rotation, on the embedded runtime', () => {
  describeRotation({ runtime: 'process', environments: { user: 'secure', track: 'standard' } }, PROCESS_HANDS);
});
