/** What the commands of `locker` say alike. */
import type { ArgumentSpec, OptionSpec } from '../command.js';

export const LOCKER_ARGUMENT: ArgumentSpec = {
  name: 'LOCKER',
  count: 'one',
  description: 'its id (l_1a2b) or its name',
};

export const KEY_ARGUMENT: ArgumentSpec = {
  name: 'KEY',
  count: 'one',
  description: 'one of its keys; in l_e0dd ENVIRONMENT.USER, like track.default',
};

export const WORDS_OPTIONS: readonly OptionSpec[] = [
  { flags: '--description TEXT', description: 'one line that says what it is for; not secret' },
  { flags: '--notes TEXT', description: 'whatever else is to be known of it; not secret' },
];
