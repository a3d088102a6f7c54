/** Where this server keeps its data. There is no secret here: the password comes from Locker. */
import type { ConnectOptions } from 'nexus3/client';

/** What MCP clients see; its graph is called so, too. */
export const SERVER_NAME = '{{name}}';
/** The nexus3 environment. */
export const ENVIRONMENT = '{{environment}}';
/** The nexus3.yaml that names it; empty: it is looked for where the `nexus3` command looks. */
const CONFIG_FILE = '{{config}}';

/** Tests name a graph of their own. */
export const GRAPH = process.env['MCP_GRAPH'] ?? SERVER_NAME;

/**
 * Credentials come from Locker: with a token where `$NEXUS3_TOKEN_FILE` names one, else with the root key.
 * With `readYourWrites` an agent that has written something finds it in its next read.
 */
export function connectOptions(): ConnectOptions {
  const config = process.env['NEXUS3_CONFIG'] ?? CONFIG_FILE;
  return { readYourWrites: true, ...(config === '' ? {} : { config }) };
}
