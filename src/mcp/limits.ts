/** What one MCP server takes on at a time, whichever way it is reached. */

/** The largest message that is read, in bytes: a line on stdin, the body of a request. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;
/** How many tools run at the same time. */
export const CALLS_AT_ONCE_MAX = 16;
/** How many more calls wait for their turn; the next one is told to come back. */
export const CALLS_WAITING_MAX = 1_000;
/** How long a call waits for its turn, in milliseconds. */
export const CALL_WAIT_MAX_MS = 30_000;
/** How long what is under way may hold up the end of a server, in milliseconds. */
export const END_WAIT_MAX_MS = 2_000;
