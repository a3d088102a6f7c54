/**
 * A server that stumbles over its configuration prints the offending line, which may be the one with a password. No log
 * line leaves a runtime without passing through here. Pure.
 */
const SECRET_DIRECTIVE = /\b(masterauth|requirepass|tls-key-file-pass|tls-client-key-file-pass)([\s=]).*/i;
const PASSWORD_RULE = /(?<=\buser\s.*\s)[>#<!][^\s']+/g;

export function withoutSecrets(line: string): string {
  return line.replace(SECRET_DIRECTIVE, '$1$2[secret]').replace(PASSWORD_RULE, '[secret]');
}
