/** The tools of the data server. */
import type { Tool } from '../tool.js';
import type { DataContext } from './context.js';
import { environments } from './environments.js';
import { graphQuery } from './graph-query.js';
import { graphList, graphSchema } from './graph-schema.js';
import { graphDelete, graphExplain, graphWrite } from './graph-write.js';
import { keyGet } from './key-get.js';
import { keyScan } from './key-scan.js';
import { keyDelete, keySet } from './key-write.js';

/** Those that write do not even appear without `write`. */
export function dataTools({ write }: { readonly write: boolean }): readonly Tool<DataContext>[] {
  const reading = [environments({ write }), graphList, graphSchema, graphQuery({ write }), keyGet, keyScan];
  return write ? [...reading, graphWrite, graphExplain, keySet, keyDelete, graphDelete] : reading;
}
