/** What somebody may try on the data server, over a pipe within this process. */
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkQuery } from '../../src/mcp/data/cypher-guard.js';
import { hostAddress } from '../../src/reconcile/access.js';
import { Connection } from '../../src/redis/connection.js';
import { dataAttacks } from '../support/data-attacks.js';
import type { ServedClient } from '../support/data-server.js';
import { serveData } from '../support/data-server.js';
import { Nexus, plain } from '../support/nexus.js';
import { IS_SOAK, rounds, SEED } from '../support/random.js';

let nexus: Nexus;
let served: ServedClient;

beforeAll(async () => {
  nexus = await Nexus.make({ runtime: 'process', environments: { track: 'standard' } });
  await nexus.report(0, 'up');
  served = await serveData(nexus, { write: true, environments: ['track'] });
});

afterAll(async () => {
  await served[Symbol.asyncDispose]();
  await nexus[Symbol.asyncDispose]();
});

dataAttacks(() => ({ nexus, client: served.client, memory: () => process.memoryUsage().rss }));

const PIECES = [
  ...[
    'LOAD',
    'CSV',
    'load CSV',
    ' ',
    '\n',
    '\r',
    '\t',
    '\f',
    '/*',
    '*/',
    '/**/',
    '//',
    '"',
    "'",
    '`',
    '\\',
    '\\"',
    "\\'",
    '""',
    "''",
  ],
  ...[
    '1',
    '$1',
    '$a',
    ' AS a ',
    'WITH 1 AS a ',
    'WITH "',
    "WITH '",
    'UNWIND [1] AS i ',
    'LIMIT 1',
    'RETURN 1 AS r UNION ',
  ],
  ...['CALL {', '}', ';', '\u00a0', '\u2028', '\u0000', 'CYPHER a=', 'EXPLAIN ', '{', '(', '[', ']', ' AS `', '-', '.'],
];

/** Of one query; what the engine itself allows it is a second. */
const ANSWER_MAX_MS = 10_000;
const RUNS = rounds(300, 20_000);
const RUNS_MAX_MS = rounds(120_000, 1_800_000);

it('nothing that the guard lets through has the engine load a file', { timeout: RUNS_MAX_MS }, async () => {
  using operational = await Connection.open(hostAddress(await nexus.spec('track', 'operational')));
  let [asked, loaded, passed] = [0, 0, 0];
  const isTaken = async (query: string): Promise<void> => {
    const command = ['GRAPH.RO_QUERY', 'g', query, 'TIMEOUT', '1000'];
    const said = String(plain(await operational.send(command, { timeoutMs: ANSWER_MAX_MS })));
    const loads = said.includes('opening CSV');
    asked += 1;
    if (loads) loaded += 1;
    try {
      checkQuery(query);
    } catch {
      return;
    }
    passed += 1;
    expect(loads, JSON.stringify(query)).toBe(false);
  };
  // Otherwise it would prove nothing: plainly written, the engine does load.
  await isTaken("LOAD CSV FROM 'file:///x.csv' AS r RETURN r");
  expect(loaded).toBe(1);
  const pieces = fc.array(fc.constantFrom(...PIECES), { maxLength: 6 }).map((parts) => parts.join(''));
  await fc.assert(
    fc.asyncProperty(pieces, pieces, fc.boolean(), async (before, between, close) => {
      // Brackets alone make the engine slow; few of them do no harm.
      const tail = close ? '"' : '';
      await isTaken(`${before}LOAD${between}CSV FROM 'file:///x.csv' AS r RETURN r${tail}`);
      await isTaken(`${before} LOAD CSV FROM 'file:///x.csv' AS r RETURN r${tail}${between}`);
      // As a value it is nothing but words.
      await isTaken(`RETURN "${between.replaceAll(/["\\]/g, '')}LOAD CSV FROM 'file:///x.csv' AS r"`);
    }),
    { numRuns: RUNS, seed: SEED },
  );
  expect(passed).toBeGreaterThan(10);
  if (IS_SOAK) {
    const figures = `${String(asked)} queries, ${String(passed)} let through, ${String(loaded)} had the engine load`;
    console.info(`# seed ${String(SEED)}: ${figures}`);
  }
});
