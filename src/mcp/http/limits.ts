/** What the server over HTTP bears, from whoever may reach a port of this machine. */

/** More are not taken on. A few hundred kilobytes each at worst. */
export const CONNECTIONS_MAX = 1_500;
/** Of all headers of a request, in bytes. */
export const HEADER_BYTES_MAX = 16 * 1024;
/** For all headers to have come, in milliseconds. */
export const HEADERS_TIMEOUT_MS = 10_000;
/** For a whole request to have come, in milliseconds. */
export const REQUEST_TIMEOUT_MS = 30_000;
/** How often the two above are looked after, in milliseconds. */
export const TIMEOUT_CHECK_MS = 1_000;
/** How long a connection without a request stays open, in milliseconds. */
export const IDLE_TIMEOUT_MS = 30_000;
/** For an answer to be given and read, in milliseconds: a person may take ten minutes to agree, and a repair a while. */
export const ANSWER_TIMEOUT_MS = 30 * 60_000;
/** How many requests are read and answered at a time, … */
export const REQUESTS_AT_ONCE_MAX = 64;
/** … and how many wait, unread; the next one is answered 503. */
export const REQUESTS_WAITING_MAX = 512;
/** How long a request waits, in milliseconds. */
export const REQUEST_WAIT_MAX_MS = 15_000;
/** Said with 503: in seconds. */
export const RETRY_AFTER_S = 1;
/** Streams that a client holds open to be told of changes. */
export const STREAMS_MAX = 32;
/** How many clients of 2025's protocol are known at a time; the one silent for longest is forgotten for a new one. */
export const SESSIONS_MAX = 128;
/** How long such a client may be silent before it is forgotten and has to begin anew, in milliseconds. */
export const SESSION_IDLE_MAX_MS = 60 * 60_000;
