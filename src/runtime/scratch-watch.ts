/**
 * What stands above a scratch server on either runtime: a shell that ends it when the one who started it is gone (its
 * standard input is a pipe whose other end only that process holds, so also after SIGKILL), and after SCRATCH_LIFE_MS
 * whatever happens. Pure.
 *
 * It signals its own process group and nothing else, which no reused process id can be taken for; that it leads a group
 * of its own is looked at first. POSIX sh, its built-ins and `sleep`.
 */
import { SCRATCH_LIFE_MS } from './runtime.js';

const WATCH = `set -u
umask 077
read -r _ _ _ _ group _ < /proc/self/stat
[ "$group" = "$$" ] || { echo 'nexus3: refused: not the leader of a process group' >&2; exit 70; }
exec 3<&0 < /dev/null
sh "$1" 3<&- &
server=$!
{ sleep "$2"; kill -KILL 0; } > /dev/null 2>&1 3<&- &
{ while read -r _ <&3; do :; done; kill -KILL 0; } > /dev/null 2>&1 &
exec 3<&-
wait "$server"
code=$?
trap '' TERM
kill -TERM 0
exit "$code"`;

/** Where the name stands among the words of the command, so that what a killed nexus3 has left is found by it. */
export const NAME_WORD = 3;

/** @param start path of the start script, as seen by whoever runs this */
export function watchCommand(
  name: string,
  start: string,
  lifeMs = SCRATCH_LIFE_MS,
): readonly [program: string, ...args: string[]] {
  return ['/bin/sh', '-c', WATCH, name, start, String(lifeMs / 1_000)];
}
