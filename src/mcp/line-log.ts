/** Lines for a person on stderr: one each, without what a terminal would obey, and not more than a person can read. */

/** What came from outside is cut here. */
const LINE_CHARS_MAX = 400;
const LINES_PER_MINUTE_MAX = 60;
const MINUTE_MS = 60_000;

export function lineLog(write: (line: string) => void, now: () => number = Date.now): (line: string) => void {
  let [minute, lines] = [0, 0];
  return (line) => {
    const current = Math.floor(now() / MINUTE_MS);
    if (current !== minute) [minute, lines] = [current, 0];
    lines += 1;
    if (lines <= LINES_PER_MINUTE_MAX) write(line.replaceAll(/\p{Cc}+/gu, ' ').slice(0, LINE_CHARS_MAX));
    else if (lines === LINES_PER_MINUTE_MAX + 1) write('More was left out, until the next minute.');
  };
}
