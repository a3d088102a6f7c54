import { describe } from 'vitest';
import { describeFieldByField } from '../support/field-by-field-scenarios.js';

describe('100 MB of everything, on the embedded runtime', () => {
  describeFieldByField({ runtime: 'process', environments: { track: 'standard' } }, { bytes: 100_000_000 });
});
