/** What the commands that serve MCP have in common. */
import type { ServeOptions } from '../compose-mcp.js';
import { Nexus3Error } from '../errors.js';
import type { Arguments, OptionSpec } from './command.js';
import type { Context } from './context.js';
import { parsePort } from './parse-port.js';

export const HTTP_OPTIONS: readonly OptionSpec[] = [
  {
    flags: '--http PORT',
    description: 'over HTTP on this port of 127.0.0.1, for whoever shows the token; else over stdin and stdout',
    parse: parsePort,
  },
  {
    flags: '--bearer-file FILE',
    description: 'with --http: the token that has to be shown is in this file (mode 0600), not in Locker',
  },
];

export function servingOf(args: Arguments, { io, overrides, output }: Context): Omit<ServeOptions, 'version'> {
  const { stdin, stdout, signal, giveUpOutput } = io;
  const [http, bearerFile] = [args.number('http'), args.text('bearer-file')];
  if (bearerFile !== undefined && http === undefined) {
    throw new Nexus3Error('USAGE', 'Over stdin and stdout, no token is shown.', {
      hint: 'Leave --bearer-file out, or add --http PORT.',
    });
  }
  const say = (line: string): void => output.say([line]);
  if (http === undefined && stdin.isTTY === true) {
    say('This speaks MCP on stdin and stdout, to a program; `nexus3 mcp config` sets one up. Ctrl-D ends it.');
  }
  return { overrides, surroundings: io, streams: { stdin, stdout, signal, giveUpOutput }, say, http, bearerFile };
}
