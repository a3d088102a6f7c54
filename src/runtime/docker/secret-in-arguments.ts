/** Whether what `docker inspect` shows to anyone holds a password. It says yes or no, never which. Pure. */
import type { ContainerInspectInfo } from 'dockerode';

/** `--requirepass x`, `masterauth=x`, and `user default on >x`; an option right after it means an empty password. */
const DIRECTIVE = /(?:^|[\s"'-])(?:requirepass|masterauth)[\s=]+["']?(?!["']|--)\S/i;
const ACL_PASSWORD = /(?:^|[\s-])user\s+\S+\s(?:.*\s)?>\S/i;
/** `redis-cli -a x`, as in many a health check. */
const CLI_PASSWORD = /redis-cli\b.*\s(?:-a|--pass)[\s=]+["']?[^\s"'$]/i;
/** `REDIS_PASSWORD=x`, `REDISCLI_AUTH=x`; `…_FILE` names a file. */
const VARIABLE = /^(?!.*_FILE=)[^=]*(?:PASSWORD|PASSWD|_PASS|REDISCLI_AUTH|MASTERAUTH)=\S/i;

export function showsSecret({ Config, Path, Args }: Pick<ContainerInspectInfo, 'Config' | 'Path' | 'Args'>): boolean {
  const environment = (Config.Env as readonly string[] | null) ?? [];
  const commands = [
    [Path, ...Args].join(' '),
    wordsOf(Config.Entrypoint).join(' '),
    wordsOf(Config.Cmd).join(' '),
    wordsOf(Config.Healthcheck?.Test).join(' '),
    ...environment.map((variable) => variable.slice(variable.indexOf('=') + 1)),
  ];
  if (environment.some((variable) => VARIABLE.test(variable))) return true;
  return commands.some((text) => DIRECTIVE.test(text) || ACL_PASSWORD.test(text) || CLI_PASSWORD.test(text));
}

/** Docker leaves out what is empty, as null. */
function wordsOf(value: string | readonly string[] | null | undefined): readonly string[] {
  if (value === null || value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
