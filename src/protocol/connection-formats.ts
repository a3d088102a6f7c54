/**
 * A connection in the formats that other programs read: shell variables, and a URL. Whatever characters a password has,
 * the reader gets exactly those. Pure.
 */
import { isIPv6 } from 'node:net';

/** What a client needs to log in. `password` is the plain text: this is where it is rendered. */
export interface ConnectionParts {
  readonly env: string;
  /** The user's name on the server. */
  readonly username: string;
  readonly host: string;
  readonly port: number;
  readonly password: string;
}

/** Of RFC 3986: never needs an escape, anywhere in a URL. */
const UNRESERVED = /^[A-Za-z0-9._~-]$/;

/** `redis://user:password@host:port`; every byte that could mean something in a URL is percent-encoded. */
export function renderUrl({ username, password, host, port }: ConnectionParts): string {
  const login = `${percentEncode(username)}:${percentEncode(password)}`;
  return `redis://${login}@${isIPv6(host) ? `[${host}]` : host}:${String(port)}`;
}

/**
 * Lines `NEXUS3_TRACK_PASSWORD='…'`, for `eval` and `.` of a shell, and for systemd's EnvironmentFile. A value with line
 * breaks stands on as many lines.
 * @throws RangeError for a value with a NUL, which no environment variable can hold; see `holdsNul`.
 */
export function renderEnv(parts: ConnectionParts): string {
  const variables: readonly (readonly [name: string, value: string])[] = [
    ['HOST', parts.host],
    ['PORT', String(parts.port)],
    ['USERNAME', parts.username],
    ['PASSWORD', parts.password],
    ['URL', renderUrl(parts)],
  ];
  const prefix = variablePrefix(parts.env);
  return variables.map(([name, value]) => `${prefix}_${name}=${shellQuote(value)}\n`).join('');
}

/** `NEXUS3_MY_TRACK` for `my-track`: names of environments hold no underscore, so no two become the same. */
export function variablePrefix(env: string): string {
  return `NEXUS3_${env.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * One word of a POSIX shell. A single quote goes into double ones, and not behind a backslash: systemd reads the one as
 * a shell does, the other not.
 * @throws RangeError for text with a NUL
 */
export function shellQuote(text: string): string {
  if (holdsNul(text)) throw new RangeError('no word of a shell can hold a NUL');
  return `'${text.replaceAll("'", `'"'"'`)}'`;
}

export function holdsNul(text: string): boolean {
  return text.includes('\0');
}

function percentEncode(text: string): string {
  return [...Buffer.from(text, 'utf8')]
    .map((byte) => {
      const character = String.fromCharCode(byte);
      return UNRESERVED.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
    })
    .join('');
}
