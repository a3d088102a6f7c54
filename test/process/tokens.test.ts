import { describe } from 'vitest';
import { describeTokens } from '../support/token-scenarios.js';

describe('tokens, on the embedded runtime', () => {
  describeTokens({ runtime: 'process', environments: { track: 'standard', user: 'secure' } });
});
