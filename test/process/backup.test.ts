import { describe } from 'vitest';
import { describeBackup } from '../support/backup-scenarios.js';
import { scratchProcesses } from '../support/scratch-processes.js';

describe('backups, on the embedded runtime', () => {
  describeBackup(
    { runtime: 'process', environments: { track: 'standard', user: 'secure' } },
    { running: scratchProcesses, left: scratchProcesses },
    5,
  );
});
