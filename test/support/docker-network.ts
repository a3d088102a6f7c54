/** What a test engine uses of the host's network, without disturbing any other engine. */
import { existsSync } from 'node:fs';
import { run } from './run.js';

const COMMAND_TIMEOUT_MS = 10_000;

/**
 * To be asked for at each launch, because it depends on what else runs.
 *
 * The default bridge: `docker0` is shared with this machine's engine where it exists. Measured with Docker 20.10, the
 * docker0 of another engine is deleted by `--bridge=none`, and by a restart with `--default-address-pool`. Tests use
 * networks of their own, so nothing is ever attached to it; their addresses are those that no route of this host has.
 *
 * The firewall: an engine leaves `FORWARD DROP` behind, so there is none; published ports on loopback go through
 * docker-proxy and need none. Only where another engine has set FORWARD to DROP, rules are needed to let containers talk.
 */
export async function networkArguments(): Promise<readonly string[]> {
  const bridge = existsSync('/sys/class/net/docker0') ? [] : ['--bridge=none'];
  const rules = await run('iptables', ['-S', 'FORWARD'], { timeoutMs: COMMAND_TIMEOUT_MS }).catch(() => '');
  return rules.includes('-P FORWARD DROP') ? bridge : [...bridge, '--iptables=false'];
}
