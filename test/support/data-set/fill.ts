/**
 * Fills a vault with everything that it may hold, of any size: one megabyte for a test, a gigabyte for a bench. The same
 * seed makes the same data, but for the times at which consumers read.
 */
import { bulkOfKeys } from './bulk.js';
import { Chance } from './chance.js';
import { fillGraphs } from './graphs.js';
import { kindsOfKeys } from './kinds.js';
import { streamsAndFunctions } from './streams.js';
import type { Door } from './wire.js';
import { Wire } from './wire.js';

/** What every data set holds, whatever its size: each type, small. */
const KINDS_BYTES = 800_000;
/** Of the rest, which part is in a graph; and no more than this: it takes its indexes seconds for a few megabytes. */
const GRAPH_PART = 0.02;
const GRAPH_BYTES_MAX = 8_000_000;

/** Is gone soon after it was filled, if a life was given. */
export const SHORT_LIVED = {
  key: 'ttl:short',
  hash: 'ttl:short-field',
  field: 'short',
  /** Without a time to live of its own; but of all that it has. */
  emptied: 'ttl:short-fields',
} as const;

export interface Filling {
  readonly seed: number;
  /** About so many in a snapshot. */
  readonly bytes: number;
  /** Of SHORT_LIVED, from the end of the filling; undefined: there is none. */
  readonly shortLifeMs?: number;
}

export async function fill(door: Door, { seed, bytes, shortLifeMs }: Filling): Promise<void> {
  const chance = new Chance(seed);
  const rest = Math.max(0, bytes - KINDS_BYTES);
  const graphBytes = Math.min(rest * GRAPH_PART, GRAPH_BYTES_MAX);
  await using wire = await Wire.open(door);
  for (const [db, commands] of kindsOfKeys(chance)) {
    await wire.select(db);
    await wire.pour(commands);
  }
  await wire.select(0);
  await wire.pour(streamsAndFunctions());
  await fillGraphs(wire, graphBytes, chance);
  await wire.pour(bulkOfKeys(rest - graphBytes, chance));
  if (shortLifeMs === undefined) return;
  await wire.ask('SET', SHORT_LIVED.key, 'value', 'PX', shortLifeMs);
  await wire.ask('HSET', SHORT_LIVED.hash, 'lasting', 'value', SHORT_LIVED.field, 'value');
  await wire.ask('HPEXPIRE', SHORT_LIVED.hash, shortLifeMs, 'FIELDS', 1, SHORT_LIVED.field);
  await wire.ask('HSET', SHORT_LIVED.emptied, SHORT_LIVED.field, 'value');
  await wire.ask('HPEXPIRE', SHORT_LIVED.emptied, shortLifeMs, 'FIELDS', 1, SHORT_LIVED.field);
}
