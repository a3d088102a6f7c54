/** Every bound of the data server, in one place. docs/mcp.md tells them. */

/** A page of rows, keys, elements or fields. */
export const PAGE_DEFAULT = 100;
export const PAGE_MAX = 1_000;
/** Of one answer's values, as JSON in UTF-8. An agent reads all of it. */
export const ANSWER_BYTES_MAX = 131_072;
/** Of the rows of one answer as text; beyond that they are whole in its structured content alone. */
export const TEXT_BYTES_MAX = 16_384;
/** Of one value within an answer; longer ones are cut. */
export const VALUE_BYTES_MAX = 16_384;
/** Of one row, so that a row fits an answer. */
export const ROW_BYTES_MAX = 65_536;
/** Of each value, whatever it is, in what it adds to a row. */
export const VALUE_COST_BYTES = 8;
/** Lists, maps and paths within one another; what lies deeper is left out. */
export const VALUE_DEPTH_MAX = 32;

/** How many rows of one query are fetched; the pages after the first are kept here under a cursor. */
export const ROWS_MAX = 10_000;
/** Of the rows of one query that are kept under a cursor, and of all of them together. */
export const RESULT_BYTES_MAX = 8_388_608;
export const RESULTS_BYTES_MAX = 33_554_432;
export const RESULTS_MAX = 64;
export const RESULT_KEPT_MS = 300_000;

export const QUERY_BYTES_MAX = 65_536;
/** Queries that are not judged anew when they come again, and how long each may be. */
export const QUERIES_KNOWN_MAX = 64;
export const QUERY_KNOWN_CHARACTERS_MAX = 4_096;
export const QUERY_TOKENS_MAX = 4_000;
/** Relationship patterns in one query: planning them takes longer than linear time, which no time-out of the engine ends. */
export const QUERY_PATTERNS_MAX = 100;
/** Tokens, each counted twice for each level it lies at: so long the engine parses (1.2 microseconds each, measured). */
export const QUERY_PARSE_COST_MAX = 250_000;
export const PARAMETERS_BYTES_MAX = 1_048_576;
export const PARAMETERS_DEPTH_MAX = 32;

export const QUERY_TIMEOUT_DEFAULT_MS = 10_000;
export const QUERY_TIMEOUT_MAX_MS = 60_000;
export const QUERY_TIMEOUT_MIN_MS = 10;
/** What the engine does not end by its own time-out is not waited for longer than this beyond it. */
export const QUERY_GRACE_MS = 2_000;
/** Graph queries at once on one server of an environment, each on a connection of its own. */
export const QUERIES_AT_ONCE_MAX = 4;
export const WRITES_AT_ONCE_MAX = 2;
/** More wait for their turn, so many and so long. */
export const QUERIES_WAITING_MAX = 2_000;
export const QUERIES_WAIT_MAX_MS = 60_000;
/** Queries that the engine does not end, and that still run: with so many, no more are sent. */
export const OVERRUNS_MAX = 2;
/** Of one reply of the graph engine. */
export const REPLY_BYTES_MAX = 16_777_216;
/** How long a write waits for the operational to have it, before reads go to the vault instead. */
export const WRITE_SEEN_WAIT_MS = 250;

export const KEY_BYTES_MAX = 1_024;
export const PATTERN_BYTES_MAX = 256;
/** Each further `*` multiplies the work of matching a long key. */
export const PATTERN_STARS_MAX = 8;
/** What is written by one call. */
export const VALUE_WRITTEN_BYTES_MAX = 1_048_576;
export const FIELDS_WRITTEN_MAX = 1_000;
export const KEYS_DELETED_MAX = 100;
/** A key of more bytes is read one element at a time, because an element cannot be cut by the server. */
export const KEY_WHOLE_BYTES_MAX = 4_194_304;
/** How long one scan looks for matching keys before it hands its cursor back. */
export const SCAN_TIME_MAX_MS = 1_000;
/** How long a command on keys may take. */
export const COMMAND_TIMEOUT_MS = 10_000;
/** Keys commands at once on one environment; more wait like queries do. */
export const COMMANDS_AT_ONCE_MAX = 32;

export const GRAPHS_MAX = 1_000;
/** Labels and relationship types that one schema describes. */
export const SCHEMA_NAMES_MAX = 100;
export const SCHEMA_SAMPLE_DEFAULT = 100;
export const SCHEMA_SAMPLE_MAX = 10_000;
export const SCHEMA_TIMEOUT_MS = 5_000;
