/** The tools of the care server. */
import type { Tool } from '../tool.js';
import type { ControlContext } from './context.js';

/** Those that change something are there only where that is allowed. */
export function controlTools({ allowChanges: _ }: { readonly allowChanges: boolean }): readonly Tool<ControlContext>[] {
  return [];
}

/** What an agent should know before it calls anything. */
export function controlInstructions(_: { readonly allowChanges: boolean }): string {
  return '';
}
