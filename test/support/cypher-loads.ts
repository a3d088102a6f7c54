/** LOAD CSV, and what only looks like it. */

/** As found in the wild and in the engine's grammar; the words LOAD and CSV may have any of these between them. */
export const LOADS: readonly string[] = [
  'LOAD CSV FROM $url AS r RETURN r',
  'load csv from $url AS r RETURN r',
  'LoAd\n\tCsV WITH HEADERS FROM $url AS r RETURN r',
  'LOAD/**/CSV FROM $url AS r RETURN r',
  'LOAD/* " */CSV FROM $url AS r RETURN r',
  "LOAD// ' \nCSV FROM $url AS r RETURN r",
  '/*/ */ LOAD CSV FROM $url AS r RETURN r',
  'UNWIND [1] AS i LOAD CSV FROM $url AS r RETURN r',
  'WITH 1 AS `a"` LOAD CSV FROM $url AS r RETURN r',
  'WITH 1 AS `a\\` LOAD CSV FROM $url AS r RETURN r',
  'WITH "a\\\\" AS a LOAD CSV FROM $url AS r RETURN r',
  "WITH 'it\\'s \"' AS a LOAD CSV FROM $url AS r RETURN r",
  'UNWIND [1] AS i WITH i LIMIT 1LOAD CSV FROM $url AS r RETURN r',
  'WITH $url AS u WITH u LIMIT $1LOAD CSV FROM $url AS r RETURN r',
  'CALL { LOAD CSV FROM $url AS r RETURN r } RETURN r',
  'RETURN 1 AS r UNION LOAD CSV FROM $url AS r RETURN r',
  'CYPHER x=1 LOAD CSV FROM $url AS r RETURN r',
  'EXPLAIN LOAD CSV FROM $url AS r RETURN r',
  'PROFILE LOAD CSV FROM $url AS r RETURN r',
  '\\u004cOAD CSV FROM $url AS r RETURN r',
  'LOAD\u00a0CSV FROM $url AS r RETURN r',
  'LOAD\u200bCSV FROM $url AS r RETURN r',
  'LOAD\0CSV FROM $url AS r RETURN r',
  'WITH 1 AS a // \u2028 LOAD CSV\rLOAD CSV FROM $url AS r RETURN r',
];

/** The words where they are only text. */
export const NOT_LOADS: readonly string[] = [
  'RETURN "LOAD CSV FROM x" AS a',
  "RETURN 'say \\'LOAD CSV\\'' AS a",
  'RETURN 1 AS `LOAD CSV`',
  'RETURN 1 AS a // LOAD CSV',
  'RETURN 1 AS a /* LOAD CSV */',
  'OPTIONAL MATCH (load:CSV) RETURN load',
  'WITH 1 AS load, 2 AS csv RETURN load, csv',
];
