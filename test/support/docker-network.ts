/** What a test engine uses of the host's network, without disturbing any other engine. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { run } from './run.js';

const COMMAND_TIMEOUT_MS = 10_000;
/** Each engine has one 10.X.0.0/16, of which every network takes a /24. */
const POOL_FIRST = 160;
const POOL_COUNT = 64;

/**
 * A pool of addresses that nothing on this host uses.
 * @param seed where to begin looking, so that two engines started at the same moment differ
 */
export async function choosePool(seed: string): Promise<number> {
  const used = new Set((await routes()).map(({ pool }) => pool));
  const first = Buffer.from(seed).reduce((sum, byte) => (sum * 31 + byte) % POOL_COUNT, 0);
  for (let step = 0; step < POOL_COUNT; step += 1) {
    const candidate = POOL_FIRST + ((first + step) % POOL_COUNT);
    if (!used.has(candidate)) return candidate;
  }
  throw new Error('every 10.160.0.0/16 … 10.223.0.0/16 is in use on this host');
}

/**
 * To be asked for at each launch, because it depends on what else runs.
 *
 * The default bridge: `docker0` is shared with this machine's engine where it exists. (Measured with Docker 20.10:
 * `--bridge=none`, and a restart with `--bridge=other`, delete the docker0 of another engine.) Tests use networks of
 * their own, so nothing is ever attached to it.
 *
 * The firewall: an engine leaves `FORWARD DROP` behind, so there is none; published ports on loopback go through
 * docker-proxy and need none. Only where another engine has set FORWARD to DROP, rules are needed to let containers talk.
 */
export async function networkArguments(pool: number): Promise<readonly string[]> {
  const args = [`--default-address-pool=base=10.${String(pool)}.0.0/16,size=24`];
  if (!existsSync('/sys/class/net/docker0')) args.push('--bridge=none');
  const rules = await run('iptables', ['-S', 'FORWARD'], { timeoutMs: COMMAND_TIMEOUT_MS }).catch(() => '');
  return rules.includes('-P FORWARD DROP') ? args : [...args, '--iptables=false'];
}

/** Takes away the bridges of networks that an engine which was killed has left. */
export async function removeBridges(pool: number): Promise<void> {
  const bridges = (await routes()).filter((route) => route.pool === pool);
  for (const { name } of bridges) await run('ip', ['link', 'delete', name], { timeoutMs: COMMAND_TIMEOUT_MS });
}

/** Interfaces with a route into 10.0.0.0/8, and the X of its 10.X.… */
async function routes(): Promise<readonly { readonly name: string; readonly pool: number }[]> {
  const table = await readFile('/proc/net/route', 'utf8').catch(() => '');
  // Destinations are little-endian hexadecimal: 0000A00A is 10.160.0.0.
  const matches = table.matchAll(/^(\S+)\t[0-9A-F]{4}([0-9A-F]{2})0A\t/gm);
  return [...matches].map(([, name = '', pool = '']) => ({ name, pool: Number.parseInt(pool, 16) }));
}
