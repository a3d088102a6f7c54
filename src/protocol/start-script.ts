/**
 * The rendered `start` script: the entrypoint of every instance on every runtime. For a vault it holds the last-copy
 * guard, so that the guard works also when Docker, or a person with `docker start`, restarts the vault without nexus3.
 * POSIX sh and shell built-ins plus `wc`, `mv` and `cat` only, because it runs inside the image. Pure.
 */
import type { Role } from './environment.js';
import { MANIFEST_FILE } from './guard.js';
import { BIRTH_FILE, CONFIG_FILE } from './layout.js';
import type { Placement } from './redis-conf.js';

/** The guard refused: EX_CONFIG of sysexits.h. Reported as `vault-empty` or `vault-behind`, not as a crash loop. */
export const HELD_EXIT = 78;
/** The engine is older than, or of another kind than, the one that wrote the data. Reported as `version-incompatible`. */
export const ENGINE_EXIT = 77;

export function renderStartScript(role: Role, placement: Placement): string {
  const parts = [
    '#!/bin/sh',
    '# Rendered by nexus3. A change made here is reported as config-drift and undone by `check --fix`.',
    'set -u',
    'umask 077',
    `data=${quoteSh(placement.dataDir)}`,
    `config=${quoteSh(placement.configDir)}`,
    WILDCARD_CHECK,
    engineCheck(placement.engineCommand),
  ];
  if (role === 'vault') parts.push(GUARD);
  parts.push(`exec ${placement.engineCommand.map(quoteSh).join(' ')} "$config/${CONFIG_FILE.redisConf}"`);
  return `${parts.join('\n')}\n`;
}

/**
 * Redis takes the name of its configuration file for a pattern when it holds a wildcard, and starts without any
 * configuration, open to everyone, when nothing matches (measured on 8.2.3; config.c, loadServerConfig).
 */
const WILDCARD_CHECK = `
case $config in
  *[*?[]*)
    echo "nexus3: refused: the path $config holds a wildcard, which the engine would not take literally" >&2
    exit 1
    ;;
esac
`;

/** The record is `KIND VERSION …`, for example `redis 8.2.3 41603`; see engine-record.ts. */
function engineCheck(engineCommand: readonly string[]): string {
  return `
# An engine that cannot read these data must not touch them (an older replica wipes its own data before it finds out).
if [ -r "$config/${CONFIG_FILE.engine}" ]; then
  read -r kind version rest < "$config/${CONFIG_FILE.engine}"
  banner=$(${engineCommand.map(quoteSh).join(' ')} --version)
  case $banner in Redis*) have_kind=redis ;; Valkey*) have_kind=valkey ;; *) have_kind=unknown ;; esac
  have=\${banner#*v=}; have=\${have%% *}
  major=\${version%%.*}; minor=\${version#*.}; minor=\${minor%%.*}
  have_major=\${have%%.*}; have_minor=\${have#*.}; have_minor=\${have_minor%%.*}
  # Written so that whatever is not a number refuses.
  if [ "$have_kind" = "$kind" ] && { [ "$have_major" -gt "$major" ] ||
    { [ "$have_major" -eq "$major" ] && [ "$have_minor" -ge "$minor" ]; }; }; then :; else
    echo "nexus3: held: version-incompatible: $kind $version wrote these data, this is $have_kind $have" >&2
    exit ${String(ENGINE_EXIT)}
  fi
fi
`;
}

const GUARD = `
# The last-copy guard: a vault whose data are gone, or older than the mark, must not come up, because its operational
# would at once be made the same.
held() {
  echo "nexus3: held: $1: $2. See: nexus3 check" >&2
  exit ${String(HELD_EXIT)}
}
[ -e "$config/${CONFIG_FILE.mark}" ] || held unmarked 'no mark says whose data these must be'
# A file of exactly one whole line. The size also tells of a lost end, of further lines and of NUL bytes.
read_line() {
  IFS= read -r line < "$1" && [ "$(wc -c < "$1")" -eq $((\${#line} + 1)) ]
}
# Up to 15 digits: more than any shell's arithmetic can hold must not pass for a comparison that failed.
is_number() {
  case $1 in '' | *[!0-9]*) return 1 ;; esac
  [ "\${#1}" -le 15 ]
}
line=
read_line "$config/${CONFIG_FILE.mark}" || held vault-behind 'the mark cannot be read'
mark_inc=\${line%% *}; rest=\${line#* }; mark_seq=\${rest%% *}; mark_bytes=\${rest#* }
case $mark_inc in *[!0-9a-f]*) held vault-behind 'the mark cannot be read' ;; esac
{ [ "$line" = "$mark_inc $mark_seq $mark_bytes" ] && [ "\${#mark_inc}" -ge 16 ] && [ "\${#mark_inc}" -le 64 ] &&
  is_number "$mark_seq" && is_number "$mark_bytes"; } || held vault-behind 'the mark cannot be read'
[ -e "$data/${BIRTH_FILE}" ] || held vault-empty 'the data folder has lost what nexus3 put there when it was created'
read_line "$data/${BIRTH_FILE}" || held vault-empty 'the birth file cannot be read'
case $line in
  "unborn $mark_inc") birth=unborn ;;
  "born $mark_inc") birth=born ;;
  *) held vault-empty 'the data folder belongs to another vault' ;;
esac
aof="$data/appendonlydir"
name=${MANIFEST_FILE}; manifest="$aof/$name"
damaged() {
  held vault-empty "of the append-only file, $1 is gone or damaged"
}
if [ -e "$manifest" ]; then
  seq=0; bytes=0; manifest_bytes=0
  while IFS= read -r line; do
    manifest_bytes=$((manifest_bytes + \${#line} + 1))
    case $line in *[!a-z0-9.' ']*) damaged "$name" ;; esac
    set -- $line
    { [ $# -ge 6 ] && is_number "$4"; } || damaged "$name"
    case "$line " in "file $2 seq $4 type $6 "*) ;; *) damaged "$name" ;; esac
    case $2 in appendonly.aof.?*) ;; *) damaged "$name" ;; esac
    case $6 in
      h) continue ;;
      b) { [ -f "$aof/$2" ] && [ -s "$aof/$2" ]; } || damaged "$2" ;;
      i)
        [ -f "$aof/$2" ] || damaged "$2"
        seq=$4; bytes=$(wc -c < "$aof/$2") || damaged "$2"
        ;;
      *) damaged "$name" ;;
    esac
  done < "$manifest"
  [ "$manifest_bytes" -gt 0 ] && [ "$(wc -c < "$manifest")" -eq "$manifest_bytes" ] || damaged "$name"
  # Written so that whatever is not a number refuses.
  if [ "$seq" -gt "$mark_seq" ] || { [ "$seq" -eq "$mark_seq" ] && [ "$bytes" -ge "$mark_bytes" ]; }; then :; else
    held vault-behind "the append-only file ends at file $seq, byte $bytes, but had come to file $mark_seq, byte $mark_bytes"
  fi
  if [ "$birth" = unborn ]; then
    echo "born $mark_inc" > "$data/${BIRTH_FILE}.new" && mv "$data/${BIRTH_FILE}.new" "$data/${BIRTH_FILE}"
  fi
elif [ "$birth" != unborn ] || [ "$mark_seq" -ne 0 ] || [ "$mark_bytes" -ne 0 ]; then
  held vault-empty 'the append-only file is gone'
fi
`;

/**
 * The health check of a container: any reply will do. It must neither need a password nor look at the replication link,
 * because an orchestrator would kill healthy replicas during a vault outage.
 */
export function renderHealthScript(port: number): string {
  return `#!/bin/sh
# Rendered by nexus3. Any reply means alive, also NOAUTH and LOADING.
if command -v redis-cli > /dev/null 2>&1; then
  reply=$(redis-cli -h 127.0.0.1 -p ${String(port)} ping 2>&1)
  case $reply in *PONG* | *NOAUTH* | *LOADING* | *NOPERM* | *MASTERDOWN*) exit 0 ;; *) exit 1 ;; esac
fi
exec bash -c 'exec 3<>/dev/tcp/127.0.0.1/${String(port)} && printf "PING\\r\\n" >&3 && IFS= read -r -t 3 -n 1 reply <&3'
`;
}

/** A word of a shell command line, whatever it holds. */
export function quoteSh(word: string): string {
  return /^[A-Za-z0-9_./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
