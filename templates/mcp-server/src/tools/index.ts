/** All tools of this server: a new one is a file and a line here. */
import type { Tool } from '../tool.js';
import { noteAdd } from './note-add.js';
import { noteFind } from './note-find.js';
import { noteRemove } from './note-remove.js';

/** What an agent should know before it calls anything. */
export const INSTRUCTIONS =
  'Keeps notes, each about some topics. Find with note_find before you add with note_add; what you add can be found at once.';

export const TOOLS: readonly Tool[] = [noteAdd, noteFind, noteRemove];
