import { describe } from 'vitest';
import { describeCompromise } from '../support/compromise-scenarios.js';

describe('the compromise drill, on the embedded runtime', () => {
  describeCompromise({ runtime: 'process', environments: { track: 'standard' } });
});
