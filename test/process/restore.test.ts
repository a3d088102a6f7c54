import { describe } from 'vitest';
import { PROCESS_HANDS } from '../support/break.js';
import { describeRestoreAll } from '../support/restore-all-scenarios.js';
import { describeRestoreAt } from '../support/restore-at-scenarios.js';
import { describeRestore } from '../support/restore-scenarios.js';

describe('restore, on the embedded runtime', () => {
  describeRestore({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS);
});

describe('restore of more than one, on the embedded runtime', () => {
  describeRestoreAll({ runtime: 'process', environments: { track: 'standard', user: 'secure' } }, PROCESS_HANDS);
});

describe('any second of the past, on the embedded runtime', () => {
  describeRestoreAt({ runtime: 'process', environments: { track: 'standard' } }, PROCESS_HANDS);
});
