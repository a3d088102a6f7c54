/**
 * What stands beside restic: a shell that ends it, and the ssh or rclone that it has started, when nexus3 is gone (its
 * standard input is a pipe whose other end only that process holds, so also after SIGKILL). Without it, restic would go on
 * for hours with nobody to bound its time, and write where the next run works. Pure.
 *
 * restic takes the place of the first shell, so that what is waited for and signalled is restic itself. The second shell is
 * of the same process group and signals that alone; while it lives, no reused process id can be taken for the group. A line
 * in the pipe says that restic has ended: what is left of the group goes then, at once. POSIX sh, its built-ins and `sleep`.
 */

/** restic takes its lock at the target away when it is told to end, over what may be a slow line. */
const END_GRACE_SECONDS = 10;

const WATCH = `set -u
read -r _ _ _ _ group _ < /proc/self/stat
[ "$group" = "$$" ] || { echo 'nexus3: refused: not the leader of a process group' >&2; exit 70; }
grace=$1
shift
exec 5<&0 < /dev/null
{
trap '' INT
read -r _ <&5 && kill -KILL 0
kill -INT 0
while [ "$grace" -gt 0 ] && kill -0 "$$"; do sleep 1; grace=$((grace - 1)); done
kill -KILL 0
} > /dev/null 2>&1 3<&- 4<&- &
exec "$@" 5<&-`;

/** @param program absolute */
export function watchedCommand(
  program: string,
  args: readonly string[],
  graceSeconds = END_GRACE_SECONDS,
): readonly [program: string, ...args: string[]] {
  return ['/bin/sh', '-c', WATCH, 'nexus3-restic', String(graceSeconds), program, ...args];
}
