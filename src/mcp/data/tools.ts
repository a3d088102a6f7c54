/** The tools of the data server. */
import type { Tool } from '../tool.js';
import type { DataContext } from './context.js';

/** Those that write do not even appear without `write`. */
export function dataTools({ write }: { readonly write: boolean }): readonly Tool<DataContext>[] {
  return write ? [] : [];
}
